import text from "./routes.json";

globalThis.POSTERN_ROUTES = text;
