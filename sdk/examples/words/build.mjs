// Makes a component of words.js: node build.mjs WIT_FOLDER COMPONENT. With what the engine does not offer left out of the language's
// runtime, so that it imports no more than it uses.
import { writeFile } from "node:fs/promises";

import { componentize } from "@bytecodealliance/componentize-js";

const [witPath, out] = process.argv.slice(2);
const { component } = await componentize({
  sourcePath: "words.js",
  witPath,
  worldName: "node",
  disableFeatures: ["random", "stdio", "clocks", "http", "fetch-event"],
});
await writeFile(out, component);
