import "@fontsource-variable/inter";
import "./app.css";
import { mount } from "svelte";
import { missing } from "./needs.ts";
import Missing from "./parts/Missing.svelte";

const target = document.getElementById("app") as HTMLElement;
const names = missing();
// The rooms start their workers as they are loaded.
if (names.length > 0) mount(Missing, { target, props: { names } });
else void import("./App.svelte").then(({ default: App }) => mount(App, { target }));

if (import.meta.env.PROD && "serviceWorker" in navigator) {
  // Without one the page works as well, but not offline.
  addEventListener("load", () =>
    navigator.serviceWorker.register("./service-worker.js").catch(() => {}),
  );
}
