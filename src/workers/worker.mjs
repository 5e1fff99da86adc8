// The entry of the Worker, put beside the built Wasm: routes.json first, as text, then the gateway,
// which compiles it while it starts.
import "./routes.mjs";

export { Limiter, default } from "./index.js";
