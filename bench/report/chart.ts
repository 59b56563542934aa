import { nodeOf, type Result } from './result';

const ROW = 22;
const LABEL = 260;
const SCALE = 320; // pixels of a ratio of 1

/** What ours costs relative to the baseline, a bar for each result, as SVG. */
export function chart(results: Result[]): string {
  const bars = results.flatMap((result) => {
    const ours = result.peers.find(({ peer }) => /\b(ours?|core)\b/.test(peer));
    if (!ours?.ratio) return [];
    return [{ label: `${result.scenario.name}, ${nodeOf(result)}`, ratio: ours.ratio }];
  });
  const height = ROW * (bars.length + 2);
  const end = (ratio: number) => LABEL + Math.min(ratio, 1.6) * SCALE;
  const drawn = bars.map(({ label, ratio: { median, min, max } }, index) => {
    const top = ROW * (index + 1.5);
    const middle = top + ROW / 2 - 3;
    return [
      `<text x="${LABEL - 8}" y="${middle + 4}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${LABEL}" y="${top}" width="${end(median) - LABEL}" height="${ROW - 6}" fill="${median <= 1 ? '#2a7' : '#c63'}"/>`,
      `<line x1="${end(min)}" x2="${end(max)}" y1="${middle}" y2="${middle}" stroke="#000"/>`,
      `<text x="${end(Math.max(median, max)) + 6}" y="${middle + 4}">${median.toFixed(2)}</text>`,
    ].join('\n');
  });
  const one = LABEL + SCALE;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LABEL + 1.8 * SCALE}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...drawn,
    `<line x1="${one}" x2="${one}" y1="${ROW}" y2="${height - ROW / 2}" stroke="#888" stroke-dasharray="3 3"/>`,
    `<text x="${one}" y="${ROW - 6}" text-anchor="middle">node:tls = 1, less is better</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
