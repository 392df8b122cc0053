import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { type Browser, type Page, chromium } from 'playwright-core';
import { buildSite, publishRuns } from '../src/index.js';
import { ROWS, completed, describer, failed, stream, writeRun } from './fixture.js';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

describe('the site in a browser', () => {
  let folder: string;
  let browser: Browser;
  let index: string;
  let boardUrl: string;
  let variantsUrl: string;
  let runUrl: string;
  /** A run whose matrix has every score that there is. */
  let shadesUrl: string;

  before(async function () {
    // Debian's package: apt-get install chromium
    if (!existsSync(CHROMIUM)) this.skip();
    folder = await mkdtemp(join(tmpdir(), 'lethe-browser-'));
    const runs = [1, 2, 3].flatMap((seed) => [
      completed({ method: 'strong', seed }, stream(0.9, seed / 100)),
      completed({ method: 'weak', seed, options: { a_rather_long_name_of_an_option: 'and a value that is long as well', rate: 0.125 } }, stream(0.6, 0.1 + seed / 50)),
      completed({ method: 'middle', seed }, stream(0.75, 0.05 + seed / 40)),
      completed({ method: 'oracle', seed, capabilities: { bound: true } }, [[0.25, 0.25, 0.25], [null, null, null], [null, null, null], [0.9, 0.95, 0.9]]),
      seed === 2 ? failed({ method: 'brittle', seed }) : completed({ method: 'brittle', seed }, stream(0.8, 0.2)),
    ]);
    await publishRuns([await writeRun(join(folder, 'run'), runs)], join(folder, 'entries'), describer);
    const shades = Array.from({ length: 8 }, (_, i) => Array.from({ length: 7 }, (_, j) => ((i * 7 + j) % (ROWS + 1)) / ROWS));
    const tasks = ['t1', 't2', 't3', 't4', 't5', 't6', 't7'];
    await publishRuns([await writeRun(join(folder, 'shades'), [completed({ method: 'shades', suite: { id: 'shades' }, tasks }, shades)])], join(folder, 'entries'), describer);
    const variants = [0.327, 0.625].map((orthogonality) =>
      completed({ method: 'tasl', options: { orthogonality, share: 0.5 }, suite: { id: 'variants' } }, stream(0.9, orthogonality / 5)));
    await publishRuns([await writeRun(join(folder, 'variants'), variants)], join(folder, 'entries'), describer);
    const site = await buildSite(join(folder, 'entries'), join(folder, 'site'));
    index = pathToFileURL(site.index).href;
    const files = await readdir(join(folder, 'site'), { recursive: true });
    const url = (part: string) => new URL(files.find((name) => name.includes(part))!, index).href;
    const boardOf = (suite: string) => new URL(files.find((name) => name.startsWith(suite) && name.endsWith('index.html'))!, index).href;
    [boardUrl, variantsUrl] = [boardOf('domains'), boardOf('variants')];
    runUrl = url('strong-order-1-seed-1');
    shadesUrl = url('shades-order-1');
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });
  after(async () => {
    await browser?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  /** Opens a page and notes what goes wrong on it, and what it asks for besides files of the site. */
  async function open(url: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<{ page: Page; problems: string[] }> {
    const page = await browser.newPage(options);
    const problems: string[] = [];
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => { if (request.url() !== url) problems.push(request.url()); });
    await page.goto(url);
    return { page, problems };
  }

  const methods = (page: Page) => page.locator('table.sortable').first().locator('tbody tr > th a').allTextContents();

  it('has its content without a script', async () => {
    const { page, problems } = await open(boardUrl, { javaScriptEnabled: false });
    expect(await methods(page)).to.deep.equal(['strong', 'middle', 'weak', 'brittle', 'oracle']);
    expect(await page.locator('table.sortable button').count()).to.equal(0);
    expect(problems).to.deep.equal([]);
  });

  it('sorts by any column from the keyboard, says so, and keeps bounds apart', async () => {
    const { page, problems } = await open(boardUrl);
    const button = page.getByRole('button', { name: 'Forgetting' }).first();
    await button.focus();
    await page.keyboard.press('Enter');
    expect(await methods(page)).to.deep.equal(['strong', 'middle', 'weak', 'brittle', 'oracle']);
    const heading = page.locator('th', { has: page.getByRole('button', { name: 'Forgetting' }) }).first();
    expect(await heading.getAttribute('aria-sort')).to.equal('ascending');
    expect(await page.locator('table.sortable').first().locator('th[aria-sort]').count()).to.equal(1);
    expect(await page.getByRole('status').first().textContent()).to.equal('Sorted by Forgetting, ascending.');
    await page.keyboard.press('Enter');
    expect(await methods(page)).to.deep.equal(['weak', 'middle', 'strong', 'brittle', 'oracle']);
    await page.getByRole('button', { name: 'Method' }).first().click();
    expect(await methods(page)).to.deep.equal(['brittle', 'middle', 'strong', 'weak', 'oracle']);
    expect(problems).to.deep.equal([]);
  });

  it('leads from a number to what it was made with', async () => {
    const { page, problems } = await open(index);
    problems.length = 0;
    await page.getByRole('link', { name: 'domains 1.0.0' }).click();
    expect(page.url()).to.equal(boardUrl);
    await page.getByRole('link', { name: 'strong', exact: true }).click();
    await page.getByRole('link', { name: 'order 1, seed 1' }).click();
    expect(page.url()).to.equal(runUrl);
    expect(await page.locator('pre').first().textContent()).to.equal('lethe run domains --size mini --methods strong --orders 1 --seeds 1 --model nano');
    expect(await page.getByRole('img').count()).to.equal(3);
    expect(problems.filter((problem) => !problem.startsWith('file:'))).to.deep.equal([]);
  });

  it('leaves to a phone two metrics beside a method, whose options and tags its page has; what failed is said', async () => {
    const shown = async (width: number) => {
      const { page } = await open(boardUrl, { viewport: { width, height: 800 } });
      const board = page.locator('table.sortable').first();
      const columns = board.locator('thead tr').nth(1).locator('th');
      const right = await columns.evaluateAll((all) => all.map((th) => th.getBoundingClientRect().right));
      const visible = async (selector: string, hasText: string) => board.locator(selector, { hasText }).first().isVisible();
      return {
        columns: right.filter((edge) => edge <= width - 15).length,
        options: await visible('.changed', 'rate=0.125'), runs: await visible('.tag', '3 runs'), failed: await visible('.tag', '1 failed'),
      };
    };
    expect(await shown(390)).to.deep.equal({ columns: 4, options: false, runs: false, failed: true });
    expect(await shown(1280)).to.deep.include({ options: true, runs: true, failed: true });
  });

  it('shows options on a phone where they tell two of a method apart, and breaks no line within one', async () => {
    const { page } = await open(variantsUrl, { viewport: { width: 390, height: 800 } });
    const options = page.locator('.changed:visible');
    expect((await options.allTextContents()).sort()).to.deep.equal(['orthogonality=0.327 share=0.5', 'orthogonality=0.625 share=0.5']);
    const lines = await options.first().evaluate((element) => (element.textContent as string).split(' ').map((_, word, words) => {
      const range = element.ownerDocument.createRange();
      const start = words.slice(0, word).join(' ').length + Math.min(word, 1);
      range.setStart(element.firstChild!, start);
      range.setEnd(element.firstChild!, start + words[word]!.length);
      return [range.toString(), range.getClientRects().length];
    }));
    expect(lines).to.have.deep.members([['orthogonality=0.327', 1], ['share=0.5', 1]]);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`fits a phone and has legible ink in ${colorScheme} mode`, async () => {
      for (const url of [index, boardUrl, runUrl, shadesUrl]) {
        const { page } = await open(url, { colorScheme, viewport: { width: 390, height: 800 } });
        expect(await page.evaluate('document.documentElement.scrollWidth')).to.equal(390);
        expect(await page.evaluate(CONTRAST)).to.deep.equal([]);
      }
    });
  }
});

/** Text whose ink has a contrast of less than 4.5 (WCAG 2.2, 1.4.3) with its ground. */
const CONTRAST = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const luminance = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return colour === 'rgba(0, 0, 0, 0)' && element.parentElement ? ground(element.parentElement) : colour;
  };
  const poor = (element) => {
    const [low, high] = [luminance(getComputedStyle(element).color), luminance(ground(element))].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05) < 4.5;
  };
  const texts = [...document.querySelectorAll('body *:not(script, svg, svg *)')].filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return texts.filter(poor).map((element) => element.outerHTML.slice(0, 100));
})()`;
