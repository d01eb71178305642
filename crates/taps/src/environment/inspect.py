"""Tells about an installed package, as JSON: python -I -c THIS PACKAGE."""

import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import sys
import sysconfig

distribution = importlib.metadata.distribution(sys.argv[1])


def sources(distribution):
    """The text of each Python file of a distribution, except its tests."""
    for file in distribution.files or []:
        if file.suffix == ".py" and "tests" not in file.parts:
            try:
                with open(file.locate(), encoding="utf-8", errors="replace") as opened:
                    yield opened.read()
            except OSError:
                pass


own = list(sources(distribution))
# Whose programs are of the Singer family: frameworks beside the tap itself.
family = [
    other
    for other in importlib.metadata.distributions()
    if re.search("singer|tap", other.metadata["Name"] or "")
]
uses_pkg_resources = any(
    re.search(r"^\s*(import|from)\s+pkg_resources", text, re.MULTILINE)
    for other in family
    for text in sources(other)
)
directories = {
    os.path.realpath(path)
    for path in [sys.base_prefix, sys.base_exec_prefix, sysconfig.get_path("stdlib")]
}
print(
    json.dumps(
        {
            "scripts": {
                entry.name: entry.value
                for entry in distribution.entry_points
                if entry.group == "console_scripts"
            },
            # Old taps look at nothing else; those that know both prefer the new way.
            "takes_properties": any(re.search(r"args\.properties\b", text) for text in own)
            and not any(re.search(r"args\.catalog\b", text) for text in own),
            "uses_pkg_resources": uses_pkg_resources,
            "has_pkg_resources": importlib.util.find_spec("pkg_resources") is not None,
            "python": platform.python_version(),
            "directories": sorted(directories),
        }
    )
)
