/** A weight of the model: its name here, its name in the file, its shape here, and whether the file holds it transposed. */
export interface WeightEntry {
  readonly name: string;
  readonly stored: string;
  readonly shape: readonly number[];
  readonly transposed: boolean;
}

/** A weight that the file holds as it is computed with. */
export const plain = (name: string, stored: string, shape: readonly number[]): WeightEntry => ({ name, stored, shape, transposed: false });

/** Side of the squares in which a matrix is transposed: the rows of one square, read and written, stay in the cache. */
const TILE = 16;

/** The transpose of a row-major (rows, columns) matrix. */
export function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(rows * columns);
  for (let top = 0; top < rows; top += TILE) {
    const bottom = Math.min(top + TILE, rows);
    for (let left = 0; left < columns; left += TILE) {
      const right = Math.min(left + TILE, columns);
      for (let c = left; c < right; c++) {
        let from = top * columns + c;
        for (let to = c * rows + top; to < c * rows + bottom; to++, from += columns) result[to] = data[from]!;
      }
    }
  }
  return result;
}
