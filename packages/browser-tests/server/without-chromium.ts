import { beforeEach } from "vitest";

// Where there is no Chromium nothing of a page is there to be tested; CI must have one.
beforeEach(({ skip }) => {
  if (process.env.CI === "true") throw new Error("browser tests: expected a Chromium, got none");
  skip("no Chromium");
});
