import { readFileSync } from "node:fs";

const { verify } = await import(process.argv[2]);
for (const { secret, headers, body } of JSON.parse(readFileSync(0, "utf8"))) console.log(verify(secret, headers, body));
