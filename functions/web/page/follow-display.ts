/** Shows the page as `display.ts` says, and follows what another tab changes. Apart from it, because words need no page. */
import { effect } from "@preact/signals";
import { display, STORED, stored } from "./display.ts";

// Another tab changed it.
addEventListener("storage", ({ key }) => {
  if (key === STORED) display.value = stored();
});

effect(() => {
  const { theme, density } = display.value;
  const { dataset } = document.documentElement;
  if (theme === "system") delete dataset.theme;
  else dataset.theme = theme;
  dataset.density = density;
});
