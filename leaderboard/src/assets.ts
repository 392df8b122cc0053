/** The style of the page. Charts keep a white ground in dark mode: their colours are chosen for it. */
export const STYLE = `
:root{color-scheme:light dark;--bg:#fbfbf9;--fg:#1b1e23;--soft:#555c66;--line:#d5d8dd;--panel:#fff;--accent:#0b5a8a;--best:#0f6b3a}
@media(prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e9ebee;--soft:#aab2bd;--line:#3a414b;--panel:#1c2026;--accent:#7cc4f2;--best:#7fdba6}}
*{box-sizing:border-box}body{margin:0 auto;max-width:84rem;padding:2rem 1.25rem 4rem;background:var(--bg);color:var(--fg);font:16px/1.55 system-ui,sans-serif}
h1{font-size:2rem;line-height:1.2;margin:0 0 .5rem}h2{font-size:1.35rem;margin:2.5rem 0 .25rem}p{max-width:70ch}.soft{color:var(--soft)}
.wide{overflow-x:auto;border:1px solid var(--line);border-radius:8px;background:var(--panel)}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:.6rem .75rem;color:var(--soft)}th,td{padding:.5rem .75rem;text-align:right;border-top:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}thead th{font-size:.85rem}thead button{all:unset;cursor:pointer;font-weight:600}
button:focus-visible,summary:focus-visible,.wide:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
th[aria-sort=ascending] button::after{content:" ↑"}th[aria-sort=descending] button::after{content:" ↓"}
.bounds{border-top:3px double var(--line)}.bounds th,.bounds td{color:var(--soft)}.best{color:var(--best);font-weight:700}.pm{color:var(--soft);font-weight:400}
details{margin:.5rem 0;border:1px solid var(--line);border-radius:8px;background:var(--panel);padding:.5rem .75rem}summary{cursor:pointer}
figure{margin:1rem 0}figcaption{font-weight:600;margin-bottom:.4rem}.chart{background:#fff;border-radius:6px;overflow-x:auto;max-width:660px;padding:8px}
.heat td{border:1px solid var(--line);text-align:center}dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem}dd{margin:0;overflow-wrap:anywhere}
@media(max-width:40rem){dl{grid-template-columns:1fr}dt{font-weight:600}}@media print{body{max-width:none;padding:0}.wide{overflow:visible}details{break-inside:avoid}}
`;

/** Sorts a table by the column whose heading button is pressed; values that are not defined stay last. */
export const SCRIPT = `
for (const button of document.querySelectorAll('thead button')) button.addEventListener('click', () => {
  const th = button.closest('th'), table = th.closest('table'), column = th.cellIndex;
  const up = th.getAttribute('aria-sort') === 'descending';
  for (const other of table.querySelectorAll('th[aria-sort]')) other.removeAttribute('aria-sort');
  th.setAttribute('aria-sort', up ? 'ascending' : 'descending');
  for (const body of table.tBodies) {
    const rows = [...body.rows].sort((a, b) => {
      const x = a.cells[column].dataset.value, y = b.cells[column].dataset.value;
      if (x === '' || y === '') return (x === '') - (y === '');
      const order = column === 0 ? x.localeCompare(y) : Number(x) - Number(y);
      return up ? order : -order;
    });
    body.append(...rows);
  }
});
`;
