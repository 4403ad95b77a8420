import { CheckpointError } from "../../checkpoint-error.ts";
import { hubModels, publishedUrl } from "./hub-models.ts";

export interface HubPlaces {
  /** A mirror of the published files: `https://host/dino`, or `hf://owner/repo@revision`. */
  readonly url?: string | undefined;
  /** A mirror of Hugging Face. */
  readonly huggingFace?: string | undefined;
}

/** Files to fetch for some weights. */
export interface HubAddress {
  /** What was asked for, without its checksum. */
  readonly name: string;
  /** The weights' file: the first of these that there is. */
  readonly urls: readonly string[];
  /** What lies beside it and helps, if it is there. */
  readonly beside: readonly string[];
  /** The SHA-256 that whoever asks expects. */
  readonly sha256: string | undefined;
}

/** The names under which a model of transformers or timm lies in its repository. */
const modelFiles: readonly string[] = ["model.safetensors", "pytorch_model.bin"];

/**
 * The addresses that weights stand for: a published name (`dino_vits16`), `hf://owner/repo@revision`
 * with or without a file, or `https://…`; each may end in `#sha256=…`. Nothing if it is none of
 * these, which is then a path.
 */
export function hubAddress(weights: string, places: HubPlaces = {}): HubAddress | undefined {
  const [, name = weights, pinned] = /^(.*)#sha256=([0-9a-f]{64})$/i.exec(weights) ?? [];
  const sha256 = pinned?.toLowerCase();
  if (Object.hasOwn(hubModels, name)) {
    const { path, announced } = hubModels[name] as (typeof hubModels)[string];
    if (announced) {
      throw new CheckpointError(
        `${name}: expected a ViT or a ResNet, got an XCiT, which is announced and not here yet`,
      );
    }
    const base = places.url || publishedUrl;
    const url = base.startsWith("hf://")
      ? repositoryUrl(base, places, path)
      : `${base.replace(/\/+$/, "")}/${path}`;
    return { name, urls: [url], beside: [], sha256 };
  }
  if (name.startsWith("hf://")) {
    const { file } = repository(name);
    const url = (path: string) => repositoryUrl(name, places, path);
    if (file !== undefined) return { name, urls: [url(file)], beside: [], sha256 };
    return { name, urls: modelFiles.map(url), beside: [url("config.json")], sha256 };
  }
  return /^https?:\/\//.test(name) ? { name, urls: [name], beside: [], sha256 } : undefined;
}

interface Repository {
  readonly id: string;
  readonly revision: string;
  readonly file: string | undefined;
}

function repository(address: string): Repository {
  const match = /^hf:\/\/([\w.-]+\/[\w.-]+)(?:@([^/]+))?(?:\/(.+))?$/.exec(address);
  if (!match) {
    throw new CheckpointError(
      `${address}: expected hf://owner/repository, with or without @revision and /file`,
    );
  }
  return { id: match[1] as string, revision: match[2] ?? "main", file: match[3] };
}

function repositoryUrl(address: string, { huggingFace }: HubPlaces, path: string): string {
  const { id, revision } = repository(address);
  const endpoint = (huggingFace || "https://huggingface.co").replace(/\/+$/, "");
  return `${endpoint}/${id}/resolve/${revision}/${path}`;
}
