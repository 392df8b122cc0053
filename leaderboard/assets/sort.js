// Makes the headings of sortable tables buttons. Without this script the tables are there in the order of the first column.
for (const table of document.querySelectorAll('table.sortable')) {
  const status = table.closest('section').querySelector('[role=status]');
  for (const th of table.querySelectorAll('th[data-first]')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(th.firstElementChild);
    th.prepend(button);
    button.addEventListener('click', () => {
      const before = th.getAttribute('aria-sort');
      const order = before ? { ascending: 'descending', descending: 'ascending' }[before] : th.dataset.first;
      for (const other of table.querySelectorAll('th[aria-sort]')) other.removeAttribute('aria-sort');
      th.setAttribute('aria-sort', order);
      const sign = order === 'ascending' ? 1 : -1;
      // bounds keep their own body: they are sorted among themselves
      for (const body of table.tBodies) {
        const value = (row) => row.cells[th.cellIndex].dataset.value;
        body.append(...[...body.rows].sort((a, b) => {
          const x = value(a);
          const y = value(b);
          // what is not defined comes last in either direction
          if (x === '' || y === '') return (x === '') - (y === '');
          return sign * ('text' in th.dataset ? x.localeCompare(y) : Number(x) - Number(y));
        }));
      }
      status.textContent = `Sorted by ${button.textContent.trim()}, ${order}.`;
    });
  }
}
