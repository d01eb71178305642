'use strict';
// Narrows the table while somebody types, as the server does for the form without a script.
(() => {
  // A search brings the objects that it finds; the page without one has all.
  const wanted = location.hash.slice(1);
  if (wanted && location.search && !document.getElementById(wanted)) location.replace(location.pathname + location.hash);
  const form = document.getElementById('search');
  const count = document.getElementById('count');
  const body = document.querySelector('#connections tbody');
  const nothing = body.querySelector('.nothing');
  const rows = [...body.rows].filter((row) => row !== nothing).map((row) => ({
    row,
    text: [...row.cells].map((cell) => cell.textContent).join(' ').toLowerCase(),
  }));
  const supports = {
    runs: (data) => !('unsupported' in data) && data.runs !== 'not_yet',
    supported: (data) => !('unsupported' in data),
    unsupported: (data) => 'unsupported' in data,
  };
  const narrow = () => {
    const words = form.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = form.type.value;
    const supported = supports[form.support.value] || (() => true);
    let found = 0;
    for (const { row, text } of rows) {
      const shown = words.every((word) => text.includes(word))
        && (!kind || row.dataset.kind === kind) && supported(row.dataset);
      row.hidden = !shown;
      found += shown;
    }
    nothing.hidden = found > 0;
    count.textContent = found === rows.length ? `${found} connections` : `${found} of ${rows.length} connections`;
    // The address can be shared at any time.
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value)).toString();
    history.replaceState(null, '', location.pathname + (query && `?${query}`) + location.hash);
  };
  form.classList.add('live');
  form.addEventListener('input', narrow);
  form.addEventListener('change', narrow);
  form.addEventListener('submit', (event) => { event.preventDefault(); narrow(); });
  nothing.querySelector('a').addEventListener('click', (event) => {
    event.preventDefault();
    form.q.value = form.type.value = form.support.value = '';
    narrow();
    form.q.focus();
  });
  // A browser may fill the form again when it goes back to the page.
  window.addEventListener('pageshow', (event) => { if (event.persisted) narrow(); });

  // Samples can be copied. The button says what became of it.
  const copy = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    if (!copied) throw new Error('not copied');
  };
  for (const sample of document.querySelectorAll('.sample')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy';
    sample.append(button);
  }
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('.copy');
    if (!button) return;
    try {
      await copy(button.parentElement.querySelector('code').textContent);
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Press Ctrl+C';
      getSelection().selectAllChildren(button.parentElement.querySelector('code'));
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
})();
