import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sourcesOf } from "./apt-sources.ts";

describe("the sources of an image", () => {
  it("follow the mirrors of this machine's apt to another release", () => {
    const text = `# comment
Types: deb deb-src
URIs: http://mirror.example/debian
# the archive of that day
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/own.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
`;
    assert.deepEqual(sourcesOf("trixie", [{ style: "deb822", text }]), [
      "deb [signed-by=/usr/share/keyrings/own.gpg] http://mirror.example/debian trixie main",
      "deb [signed-by=/usr/share/keyrings/own.gpg] http://mirror.example/debian trixie-updates main",
      "deb http://mirror.example/security trixie-security main",
    ]);
  });

  it("are read from one-line files, with the key ring that was asked for", () => {
    const text = `deb [arch=amd64 signed-by=/k.gpg] https://a.example/debian stable main # note
deb-src https://a.example/debian stable main
#deb https://off.example/debian stable main
deb https://b.example/debian-security stable-security main
deb cdrom:[Debian]/ stable main
`;
    assert.deepEqual(sourcesOf("bookworm", [{ style: "one-line", text }], "/own.gpg"), [
      "deb [signed-by=/k.gpg] https://a.example/debian bookworm main",
      "deb [signed-by=/own.gpg] https://b.example/debian-security bookworm-security main",
    ]);
  });

  it("leave out what is no Debian release, is switched off, or lacks main", () => {
    const oneLine = `deb http://u.example/ubuntu noble main
deb http://p.example/node nodistro main
deb http://c.example/debian bookworm contrib
deb http://b.example/debian bookworm-backports main
`;
    const deb822 = `Types: deb
URIs: http://o.example/debian
Suites: bookworm
Components: main
Enabled: no
`;
    const texts = [
      { style: "one-line", text: oneLine },
      { style: "deb822", text: deb822 },
    ] as const;
    assert.deepEqual(sourcesOf("trixie", texts), []);
  });

  it("ignore a key that stands in the file itself", () => {
    const text = `Types: deb
URIs: http://m.example/debian
Suites: trixie
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----
`;
    assert.deepEqual(sourcesOf("trixie", [{ style: "deb822", text }]), [
      "deb http://m.example/debian trixie main",
    ]);
  });
});
