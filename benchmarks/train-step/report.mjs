/**
 * What was measured, as figures. `ratio` compares with the fastest of the peer's configurations,
 * best with best and median with median; `shareOfPeak` is nominal GFLOP/s over `peak`'s.
 */
export function figuresOf({ batch, gflopPerImage, peak, contenders, results }) {
  const rows = contenders.map(({ name, peer, runsOn, readyRssBytes }) => {
    const { seconds, losses, peakRssBytes, failure } = results.get(name);
    if (failure !== undefined) return { name, peer, failure };
    const best = batch / Math.min(...seconds);
    return {
      name,
      peer,
      runsOn,
      imagesPerSecond: { best, median: batch / median(seconds) },
      gflops: best * gflopPerImage,
      shareOfPeak: peak === undefined ? null : (best * gflopPerImage) / peak.gflops,
      readyRssBytes,
      peakRssBytes,
      loss: { first: losses[0], last: losses.at(-1) },
      secondsPerStep: seconds,
    };
  });
  const peers = rows.filter(({ peer, failure }) => peer && failure === undefined);
  const highest = (which) => Math.max(...peers.map((row) => row.imagesPerSecond[which]));
  return rows.map((row) => {
    if (row.failure !== undefined || peers.length === 0) return row;
    const { best, median } = row.imagesPerSecond;
    return { ...row, ratio: { best: best / highest("best"), median: median / highest("median") } };
  });
}

/** The same as lines of a table, the fastest first. */
export function table(rows) {
  const done = rows
    .filter(({ failure }) => failure === undefined)
    .sort((a, b) => b.imagesPerSecond.best - a.imagesPerSecond.best);
  const header = ["", "img/s", "median", "ratio", "of peak", "peak RSS", "loss"];
  const cells = done.map((row) => [
    row.name,
    row.imagesPerSecond.best.toPrecision(3),
    row.imagesPerSecond.median.toPrecision(3),
    row.ratio === undefined ? "-" : row.ratio.best.toFixed(2),
    row.shareOfPeak === null ? "-" : `${(100 * row.shareOfPeak).toFixed(1)} %`,
    `${(row.peakRssBytes / 1e9).toFixed(2)} GB`,
    `${row.loss.first.toFixed(4)} to ${row.loss.last.toFixed(4)}`,
  ]);
  const widths = header.map((_, i) => Math.max(...[header, ...cells].map((row) => row[i].length)));
  const aligned = [header, ...cells].map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join("  ")
      .trimEnd(),
  );
  const failed = rows.filter(({ failure }) => failure !== undefined);
  return [...aligned, ...failed.map(({ name, failure }) => `${name}: ${failure}`)];
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
