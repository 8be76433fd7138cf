// The exchanges that fit, as a HAR file: browsers' developer tools open it, and `replayproxy cassette import` takes it.

import { blob } from "./api.js";
import { announce, h } from "./dom.js";
import { saveAs } from "./media.js";

/** A button that saves what fits the filter which `filter` gives. */
export function harButton(filter) {
  const button = h("button", { type: "button", title: "Save what fits as HAR, for developer tools and for `cassette import`" }, "HAR");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      saveAs(await blob(`/exchanges.har?filter=${encodeURIComponent(filter())}`), "replayproxy.har");
    } catch (error) {
      announce(error.message);
    } finally {
      button.disabled = false;
    }
  });
  return button;
}
