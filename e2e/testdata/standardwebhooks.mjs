// Verifies a request with the npm package standardwebhooks. The argument is {secret, content, headers, options};
// prints {"verified": what verify returned} or {"error": the name of its exception}.
import { Webhook } from "standardwebhooks";

const { secret, content, headers, options } = JSON.parse(process.argv[2]);
try {
  console.log(JSON.stringify({ verified: new Webhook(secret).verify(content, headers, options) ?? null }));
} catch (error) {
  console.log(JSON.stringify({ error: error.name }));
}
