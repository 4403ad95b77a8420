import "@fontsource-variable/inter";
import "./app.css";
import { mount } from "svelte";
import App from "./App.svelte";

mount(App, { target: document.getElementById("app") as HTMLElement });

if (import.meta.env.PROD && "serviceWorker" in navigator) {
  // Without one the page works as well, but not offline.
  addEventListener("load", () =>
    navigator.serviceWorker.register("./service-worker.js").catch(() => {}),
  );
}
