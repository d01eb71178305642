//! Packages to install, made by the test.

use std::path::{Path, PathBuf};
use std::process::Command;

use selvedge_taps::{Environments, Package};

/// A package that is a tap of one module.
pub(crate) struct Wheel {
    pub(crate) name: &'static str,
    /// Text of the module, which is named like the package.
    pub(crate) module: &'static str,
    /// Console scripts; each calls the module's `main`.
    pub(crate) scripts: &'static [&'static str],
}

/// A tap that works.
pub(crate) const GOOD: &str = "import sys\n\ndef main():\n    print('read', *sys.argv[1:])\n";

/// A folder for environments, and an index that is a folder beside it.
pub(crate) struct World {
    directory: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("index")).unwrap();
        Self { directory }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("environments")
    }

    pub(crate) fn environments(&self) -> Environments {
        self.environments_of(&python())
    }

    pub(crate) fn environments_of(&self, python: &Path) -> Environments {
        let index = self.directory.path().join("index").into_os_string();
        let ours = [
            ("PIP_NO_INDEX".into(), "1".into()),
            ("PIP_FIND_LINKS".into(), index.clone()),
            ("UV_NO_INDEX".into(), "1".into()),
            ("UV_FIND_LINKS".into(), index),
        ];
        let theirs = std::env::vars_os().filter(|(name, _)| {
            let name = name.to_string_lossy();
            !name.starts_with("PIP_") && !name.starts_with("UV_")
        });
        Environments::new(self.root(), python.to_owned(), theirs.chain(ours))
    }

    /// Puts a wheel in version 1.0 into the index.
    pub(crate) fn publish(&self, wheel: &Wheel) -> Package {
        let package = Package::new(wheel.name, "1.0").unwrap();
        let module = wheel.name.replace('-', "_");
        let folder = self.directory.path().join(&module);
        let info = folder.join(format!("{module}-1.0.dist-info"));
        std::fs::create_dir_all(&info).unwrap();
        let scripts: String = wheel
            .scripts
            .iter()
            .map(|script| format!("{script} = {module}:main\n"))
            .collect();
        for (path, text) in [
            (folder.join(format!("{module}.py")), wheel.module.to_owned()),
            (
                info.join("METADATA"),
                format!(
                    "Metadata-Version: 2.1\nName: {}\nVersion: 1.0\n",
                    wheel.name
                ),
            ),
            (
                info.join("WHEEL"),
                "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
                    .to_owned(),
            ),
            (
                info.join("entry_points.txt"),
                format!("[console_scripts]\n{scripts}"),
            ),
            (
                info.join("RECORD"),
                format!("{module}.py,,\n{module}-1.0.dist-info/METADATA,,\n"),
            ),
        ] {
            std::fs::write(path, text).unwrap();
        }
        let made = Command::new(python())
            .args(["-m", "zipfile", "-c"])
            .arg(
                self.directory
                    .path()
                    .join(format!("index/{module}-1.0-py3-none-any.whl")),
            )
            .args([format!("{module}.py"), format!("{module}-1.0.dist-info")])
            .current_dir(&folder)
            .status()
            .unwrap();
        assert!(made.success());
        package
    }
}

/// The Python that `cargo xtask test` has found.
pub(crate) fn python() -> PathBuf {
    std::env::var_os("SELVEDGE_TEST_PYTHON")
        .filter(|python| !python.is_empty())
        .map(PathBuf::from)
        .expect("run the tests with `cargo xtask test`, which sets SELVEDGE_TEST_PYTHON")
}
