// Evaluates expressions.txt of a folder with libxml2 at the root of each document,
// and compares with the results stored beside it; with a second argument, stores
// them.
import fs from 'node:fs';
import path from 'node:path';

console.error = () => {}; // libxml2 says there what is wrong with an expression
const { XmlAttribute, XmlDocument } = await import('libxml2-wasm');

const [folder, store] = process.argv.slice(2);
const expressions = fs.readFileSync(path.join(folder, 'expressions.txt'), 'utf8').trimEnd().split('\n');

// A node is the number of nodes before it, an attribute that and its name.
function place(node) {
  const before = node.eval('count(preceding::node()|ancestor::node())');
  return node instanceof XmlAttribute ? `${before}@${node.eval('name()')}` : `${before}`;
}

function evaluate(root, expression, namespaces) {
  let result;
  try {
    result = root.eval(expression, namespaces);
  } catch {
    return null;
  }
  if (Array.isArray(result)) return result.map(place);
  return { [typeof result]: String(result) };
}

let wrong = 0;
for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.xml'))) {
  const document = XmlDocument.fromBuffer(fs.readFileSync(path.join(folder, file)));
  const { root } = document;
  const namespaces = Object.fromEntries(Object.entries(root.namespaces).filter(([prefix]) => prefix));
  const lines = expressions.map((x) => JSON.stringify([x, evaluate(root, x, namespaces)]));
  const results = path.join(folder, file.replace('.xml', '.jsonl'));
  if (store) fs.writeFileSync(results, lines.join('\n') + '\n');
  const stored = fs.readFileSync(results, 'utf8').trimEnd().split('\n');
  for (let i = 0; i < Math.max(lines.length, stored.length); i++) {
    if (lines[i] === stored[i]) continue;
    console.log(`${file}: libxml2 says ${lines[i]}, stored is ${stored[i]}`);
    wrong++;
  }
  document.dispose();
}
process.exit(wrong ? 1 : 0);
