/** Where the published files are. */
export const publishedUrl = "https://dl.fbaipublicfiles.com/dino";

/** A published file, by its place below `publishedUrl` or a mirror of it. */
export interface HubModel {
  readonly path: string;
  readonly what: "backbone" | "linear classifier";
  /** Published, but with an architecture that is not here yet. */
  readonly announced?: true;
}

/** The reference's entry points by name (its `hubconf.py`), the other weights of its scripts, and its linear classifiers. */
export const hubModels: Readonly<Record<string, HubModel>> = {
  dino_vits16: backbone("deitsmall16"),
  dino_vits8: backbone("deitsmall8"),
  dino_vitb16: backbone("vitbase16"),
  dino_vitb8: backbone("vitbase8"),
  dino_resnet50: backbone("resnet50"),
  dino_vits8_300ep: backbone("deitsmall8_300ep"),
  dino_vits16_googlelandmark: backbone("vitsmall16_googlelandmark"),
  dino_vits16_linear: linear("deitsmall16"),
  dino_vits8_linear: linear("deitsmall8"),
  dino_vitb16_linear: linear("vitbase16"),
  dino_vitb8_linear: linear("vitbase8"),
  dino_resnet50_linear: linear("resnet50"),
  dino_xcit_small_12_p16: announced("xcit_small_12_p16"),
  dino_xcit_small_12_p8: announced("xcit_small_12_p8"),
  dino_xcit_medium_24_p16: announced("xcit_medium_24_p16"),
  dino_xcit_medium_24_p8: announced("xcit_medium_24_p8"),
};

function backbone(name: string): HubModel {
  return { path: `dino_${name}_pretrain/dino_${name}_pretrain.pth`, what: "backbone" };
}

function linear(name: string): HubModel {
  return {
    path: `dino_${name}_pretrain/dino_${name}_linearweights.pth`,
    what: "linear classifier",
  };
}

function announced(name: string): HubModel {
  return { ...backbone(name), announced: true };
}
