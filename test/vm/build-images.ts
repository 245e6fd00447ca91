/**
 * Builds the images before a test needs them, so that no machine is busy with it while others are tested, and
 * so that a pipeline can keep them.
 *
 *   node --import tsx test/vm/build-images.ts [bookworm | trixie …]
 */
import { IMAGE_NAMES, imageFolder, whyNoMachines } from "./images.ts";

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !IMAGE_NAMES.some((known) => known === name));
if (unknown.length > 0) throw new Error(`no such image: ${unknown.join(", ")}`);
const reason = whyNoMachines();
if (reason !== false) {
  // The tests say the same and skip; who asks for an image by name wants to know.
  process.stdout.write(`no images: ${reason}\n`);
  process.exitCode = asked.length > 0 ? 1 : 0;
} else {
  for (const name of IMAGE_NAMES.filter((known) => asked.length === 0 || asked.includes(known))) {
    const folder = imageFolder(name, (line) => process.stdout.write(`${line}\n`));
    process.stdout.write(`${name}: ${folder}\n`);
  }
}
