import fox from "../../generated/fox.webp";
import guitar from "../../generated/guitar.webp";
import cup from "../../generated/hot-beverage.webp";
import octopus from "../../generated/octopus.webp";
import parrot from "../../generated/parrot.webp";
import scene from "../../generated/scene.webp";

/** The pictures that the page brings along. */
export const ownPictures = [
  { name: "Still life", url: scene },
  { name: "Fox", url: fox },
  { name: "Octopus", url: octopus },
  { name: "Parrot", url: parrot },
  { name: "Guitar", url: guitar },
  { name: "Cup", url: cup },
] as const;
