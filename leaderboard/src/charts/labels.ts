/** A rectangle in pixels, y downwards. */
interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Where a label stands, seen from its point: beside, above or below it, and by how many pixels it is moved up or down. */
export interface Placement {
  readonly side: 'right' | 'left' | 'top' | 'bottom';
  readonly shift: number;
}

const PLACES: readonly Placement[] = [
  { side: 'right', shift: 0 }, { side: 'left', shift: 0 }, { side: 'top', shift: 0 }, { side: 'bottom', shift: 0 },
  { side: 'right', shift: -9 }, { side: 'right', shift: 9 }, { side: 'left', shift: -9 }, { side: 'left', shift: 9 },
];
const GAP = 6;
const HEIGHT = 13;
const PASSES = 5;

function boxAt({ side, shift }: Placement, x: number, y: number, width: number): Box {
  const centre = { left: x - width / 2, right: x + width / 2 };
  if (side === 'top') return { ...centre, top: y - GAP - HEIGHT, bottom: y - GAP };
  if (side === 'bottom') return { ...centre, top: y + GAP, bottom: y + GAP + HEIGHT };
  const level = { top: y + shift - HEIGHT / 2, bottom: y + shift + HEIGHT / 2 };
  return side === 'right' ? { ...level, left: x + GAP, right: x + GAP + width } : { ...level, left: x - GAP - width, right: x - GAP };
}

/** The area that two rectangles share. */
function overlap(a: Box, b: Box): number {
  const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return across > 0 && down > 0 ? across * down : 0;
}

const areaOf = (box: Box): number => (box.right - box.left) * (box.bottom - box.top);

/**
 * A place for the label of every point, so that labels cover each other and the points as little as can be: each in turn
 * takes its best place of eight given the others', a few times over. A label does not leave the frame where it need not.
 *
 * @param points with the width of their labels, in pixels
 */
export function placeLabels(points: readonly { readonly x: number; readonly y: number; readonly width: number }[], frame: Box): Placement[] {
  const dots: Box[] = points.map(({ x, y }) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }));
  const places = points.map(() => PLACES[0]!);
  const boxes = points.map(({ x, y, width }) => boxAt(PLACES[0]!, x, y, width));
  for (let pass = 0; pass < PASSES; pass++) {
    points.forEach(({ x, y, width }, at) => {
      const costs = PLACES.map((place, preference) => {
        const box = boxAt(place, x, y, width);
        const outside = areaOf(box) - overlap(box, frame);
        const covered = [...dots, ...boxes.filter((_, other) => other !== at)].reduce((sum, other) => sum + overlap(box, other), 0);
        return 2 * outside + covered + preference;
      });
      places[at] = PLACES[costs.indexOf(Math.min(...costs))]!;
      boxes[at] = boxAt(places[at], x, y, width);
    });
  }
  return places;
}
