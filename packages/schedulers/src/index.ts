export { chain, constant, cosine, linear, type Ramp, type Schedule } from "./schedule.ts";
export { type TeacherTemperatureOptions, teacherTemperature } from "./teacher-temperature.ts";
export { type WarmupCosineOptions, warmupCosine } from "./warmup-cosine.ts";
