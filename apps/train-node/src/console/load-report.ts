import type { LoadReport } from "@dino/checkpoint";

/** What was done to weights when they were loaded, in lines: none if they fit as they are. */
export function describeReport(report: LoadReport): readonly string[] {
  const { naming, renamed, reshaped, missing, unexpected, leftOut } = report;
  const lines: string[] = [];
  if (renamed.length > 0) {
    const joined = renamed.filter(({ from }) => from.length > 1).length;
    const parts = joined > 0 ? `, ${joined} of them joined` : "";
    lines.push(`  renamed (${renamed.length}${parts}): the names of ${naming}`);
  }
  for (const { name, from, to } of reshaped) {
    lines.push(`  interpolated: ${name} from [${from.join(", ")}] to [${to.join(", ")}]`);
  }
  if (leftOut.length > 0) lines.push(`  left out (${leftOut.length}): ${some(leftOut)}`);
  if (missing.length > 0) {
    lines.push(`  missing, so begun at random (${missing.length}): ${some(missing)}`);
  }
  if (unexpected.length > 0) lines.push(`  ignored (${unexpected.length}): ${some(unexpected)}`);
  return lines;
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
