import { MISSING, cellText, reportFault } from '@lethe/core';
import { expect } from 'chai';

describe('what a method says it learned', () => {
  const table = { title: 'Overlap', rows: { title: 'task', names: ['1', '2'] }, columns: { title: 'kind', names: ['a'] }, cells: [[0.5], [null]] };

  it('is a list of tables with a cell for every name of a row and a column', () => {
    expect(reportFault([])).to.equal(null);
    expect(reportFault([table, table])).to.equal(null);
    expect(reportFault([table, { ...table, cells: [[0.5]] }])).to.equal('/1/cells: 1 rows for 2 names');
    expect(reportFault([{ ...table, cells: [[0.5], [1, 2]] }])).to.equal('/0/cells/1: 2 cells for 1 names');
    expect(reportFault([{ ...table, cells: [[0.5], [true]] }])).to.be.a('string');
    expect(reportFault(table)).to.be.a('string');
  });

  it('has whole numbers and words as they are, others with three digits, and a dash where there is nothing to say', () => {
    expect([3, -0.25, 2 / 3, 'few', null].map(cellText)).to.deep.equal(['3', '-0.250', '0.667', 'few', MISSING]);
  });
});
