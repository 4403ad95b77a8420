export { type BackboneCase, type BackboneCaseOptions, backboneCases } from "./backbone-cases.ts";
