import { serveCrops } from "@dino/data/browser";

serveCrops();
