import { readFileSync } from "node:fs";
import { isAbsolute, normalize, sep } from "node:path";
import { imageFolder } from "@dino/data/node";
import { type QueryTruth, revisitedProtocols } from "@dino/evaluation";
import { parse } from "csv-parse/sync";
import { RunError } from "../errors.ts";
import { listingOf } from "../features/listing-of.ts";
import type { RetrievalSet } from "./retrieval-set.ts";

/** How a picture bears on a query. */
type Relevance = "relevant" | "easy" | "hard" | "junk";

const relevances: readonly string[] = ["relevant", "easy", "hard", "junk"];
const columns = ["query", "image", "relevance"] as const;

/** A line of the file. */
interface Judgement {
  readonly line: number;
  readonly query: string;
  readonly image: string;
  readonly relevance: Relevance;
}

/**
 * Any folder of pictures with a CSV file of what is to be found: a line `query,image,relevance` for
 * each picture that is relevant to a query, or junk to it. All pictures below the folder are
 * searched; a query never finds itself. With `easy` and `hard` in the place of `relevant` there are
 * three protocols, as for revisited Oxford and Paris. A `RunError` names the line that is wrong.
 */
export async function csvSet(folder: string, file: string): Promise<RetrievalSet> {
  const judgements = readJudgements(file);
  const pictures = await imageFolder(folder);
  const names = Array.from({ length: pictures.length }, (_, i) => pictures.name(i));
  const rows = new Map(names.map((name, row) => [name, row]));
  const rowOf = (name: string, line: number, column: string): number => {
    const row = rows.get(normalize(name).split(sep).join("/"));
    if (row !== undefined && !isAbsolute(name)) return row;
    throw new RunError(
      `${file}: line ${line}: expected a picture below ${folder} as ${column}, got ${JSON.stringify(name)}`,
    );
  };

  const queries = new Map<number, Map<number, Relevance>>();
  for (const { line, query, image, relevance } of judgements) {
    const own = rowOf(query, line, "query");
    const row = rowOf(image, line, "image");
    const known = queries.get(own) ?? new Map<number, Relevance>();
    queries.set(own, known);
    if ((known.get(row) ?? relevance) !== relevance) {
      throw new RunError(
        `${file}: line ${line}: expected ${image} to be ${known.get(row)} to ${query} as before, got ${relevance}`,
      );
    }
    known.set(row, relevance);
  }
  const graded = judgements.some(({ relevance }) => relevance === "easy" || relevance === "hard");
  const truths = [...queries].map(([own, known]) => {
    const of = (wanted: Relevance) =>
      [...known].filter(([row, is]) => is === wanted && row !== own).map(([row]) => row);
    return { of, junk: [...of("junk"), own] };
  });
  return {
    queries: listingOf(
      folder,
      [...queries.keys()].map((row) => names[row] as string),
    ),
    rows: listingOf(folder, names),
    protocols: graded
      ? revisitedProtocols(
          truths.map(({ of, junk }) => ({ easy: of("easy"), hard: of("hard"), junk })),
        )
      : { all: truths.map(({ of, junk }): QueryTruth => ({ positives: of("relevant"), junk })) },
  };
}

function readJudgements(file: string): readonly Judgement[] {
  const records = parsed(file);
  const [head, ...lines] = records;
  if (head?.record.join() !== columns.join()) {
    throw new RunError(
      `${file}: expected the columns ${columns.join()} in the first line, got ${JSON.stringify(head?.record.join() ?? "")}`,
    );
  }
  const judgements = lines.map(({ record, info }): Judgement => {
    const [query = "", image = "", relevance = ""] = record;
    if (!relevances.includes(relevance)) {
      throw new RunError(
        `${file}: line ${info.lines}: expected ${relevances.join(", ")} as relevance, got ${JSON.stringify(relevance)}`,
      );
    }
    return { line: info.lines, query, image, relevance: relevance as Relevance };
  });
  if (judgements.length === 0)
    throw new RunError(`${file}: expected lines below the first, got none`);
  const told = new Set(judgements.map(({ relevance }) => relevance));
  if (told.has("relevant") && (told.has("easy") || told.has("hard"))) {
    throw new RunError(`${file}: expected relevant, or easy and hard, got both in one file`);
  }
  return judgements;
}

interface ParsedRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

function parsed(file: string): readonly ParsedRecord[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RunError(
      `${file}: expected a CSV file with the columns ${columns.join()}, got ${reason}`,
      { cause },
    );
  }
  try {
    const options = { bom: true, info: true, skip_empty_lines: true, trim: true };
    return parse(text, options) as unknown as readonly ParsedRecord[]; // which `info` makes of them
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RunError(`${file}: expected a CSV file, got another (${reason})`, { cause });
  }
}
