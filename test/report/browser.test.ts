/** The HTML report in a real browser, from disk: it asks the network for nothing, and nothing goes wrong. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { htmlText } from "../../src/report/html/html-text.ts";
import { runBundle } from "../support/bundle.ts";
import { type Browser, findBrowser, startBrowser } from "./browser.ts";
import { RECORDED_REPORT } from "./recorded-report.ts";

const PHONE_WIDTH = 390;
const NAME = findBrowser();
const skip = NAME === undefined ? "no Chromium is installed" : false;

describe("the HTML page in a browser", { skip }, () => {
  let folder: string;
  let browser: Browser;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "gatewarden-html-"));
    browser = await startBrowser(NAME ?? "");
  });
  after(async () => {
    if (skip !== false) return;
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function written(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, text);
    return pathToFileURL(path).href;
  }

  it("asks for itself alone, and the console stays empty", async () => {
    const url = written("report.html", htmlText(RECORDED_REPORT));
    const page = await browser.open(url);
    const found = await page.evaluate(`(() => {
      const find = document.getElementById("find");
      find.value = "ssh";
      find.dispatchEvent(new Event("input"));
      document.getElementById("unfold").click();
      return document.querySelectorAll("#baseline .check:not([hidden])").length;
    })()`);
    assert.ok(Number(found) > 0, "the script of the page runs");
    const all = await page.evaluate('document.querySelectorAll("#baseline .check").length');
    assert.ok(Number(found) < Number(all), "and finds some of the checks");
    assert.equal(
      await page.evaluate("getComputedStyle(document.querySelector('.filter')).display !== 'none'"),
      true,
      "the styles of the page are in force",
    );
    const asked = page.requests.filter((one) => !one.startsWith("data:"));
    assert.deepEqual(asked, [url]);
    assert.deepEqual(page.console, []);
  });

  it("is as quiet for a scan of this machine", async () => {
    const file = join(folder, "scan.html");
    const { code, errors } = await runBundle(["scan", "-o", file, "--fail-on", "none"]);
    assert.equal(code, 0, errors);
    const url = pathToFileURL(file).href;
    const page = await browser.open(url);
    const checks = await page.evaluate('document.querySelectorAll("#baseline .check").length');
    assert.ok(Number(checks) > 100);
    assert.deepEqual(
      page.requests.filter((one) => !one.startsWith("data:")),
      [url],
    );
    assert.deepEqual(page.console, []);
  });

  it("fits a phone: nothing is wider than the window", async () => {
    const url = written("phone.html", htmlText(RECORDED_REPORT));
    const page = await browser.open(url, PHONE_WIDTH);
    assert.equal(await page.evaluate("innerWidth"), PHONE_WIDTH);
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), PHONE_WIDTH);
  });

  it("would be seen to ask for more, or to complain", async () => {
    const asking = htmlText(RECORDED_REPORT)
      .replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, "")
      .replace("</body>", '<img src="http://127.0.0.1:9/x.png"><script>nothing()</script></body>');
    const page = await browser.open(written("asking.html", asking));
    assert.ok(page.requests.includes("http://127.0.0.1:9/x.png"));
    assert.match(page.console.join("\n"), /nothing is not defined/);
  });

  it("lets the browser refuse what somebody has put into it", async () => {
    const text = htmlText(RECORDED_REPORT).replace(
      "</body>",
      '<img src="http://127.0.0.1:9/x.png"><script>document.title = "taken"</script></body>',
    );
    const page = await browser.open(written("taken.html", text));
    assert.notEqual(await page.evaluate("document.title"), "taken");
    assert.match(page.console.join("\n"), /Content Security Policy/);
  });
});
