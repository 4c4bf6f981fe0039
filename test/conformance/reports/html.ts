import type { Difference } from '../expected.ts'
import { RESULTS, type Result, type Text } from '../module.ts'
import type { ModuleReport, Report } from '../run.ts'
import { linkTo } from '../specifications.ts'
import type { Exchange } from '../wire.ts'
import { totals } from './table.ts'

const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')

/** Both languages; the page's class says which one is shown. */
const t = ([en, ja]: Text): string =>
  en === ja
    ? escaped(en)
    : `<span lang="ja">${escaped(ja)}</span><span lang="en">${escaped(en)}</span>`

const MEANING: Readonly<Record<Result, Text>> = {
  PASSED: ['every rule is kept', 'すべての規則が守られた'],
  SKIPPED: ['could not be asked; the reason is given', '調べられなかった（理由つき）'],
  WARNING: ['a recommendation is not followed', '推奨に従っていない'],
  REVIEW: ['a person must look', '人が見て判断する'],
  FAILED: ['a rule is broken', '規則に反している'],
}

const STYLE = `
:root{color-scheme:light dark;--line:#8886;--soft:#8881}
body{font:16px/1.6 system-ui,"Hiragino Sans","Noto Sans CJK JP",sans-serif;margin:0 auto;max-width:72rem;padding:1rem}
html.ja [lang=en],html.en [lang=ja]{display:none}
table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid var(--line);padding:.25rem .6rem;text-align:left;vertical-align:top}
td.n{text-align:right}
details{border:1px solid var(--line);border-radius:.3rem;margin:.4rem 0;padding:.3rem .7rem}
summary{cursor:pointer}
pre{background:var(--soft);overflow-x:auto;padding:.5rem;white-space:pre-wrap;word-break:break-all}
.r{border-radius:.2rem;color:#fff;display:inline-block;font-size:.8rem;font-weight:bold;min-width:5.5rem;padding:0 .4rem;text-align:center}
.PASSED{background:#146c2e}.SKIPPED{background:#555}.WARNING{background:#8a5300}.REVIEW{background:#0b57a4}.FAILED{background:#b3261e}
.stop{border:2px solid #b3261e;padding:.5rem 1rem}
nav button{font:inherit;padding:.2rem .8rem}
`

/** The only script: it chooses the language, and hides what has passed. */
const SCRIPT = `
const root=document.documentElement
for(const b of document.querySelectorAll('[data-lang]'))b.onclick=()=>{root.className=b.dataset.lang;root.lang=b.dataset.lang}
document.querySelector('#only').onchange=e=>{for(const d of document.querySelectorAll('details.m'))d.hidden=e.target.checked&&d.dataset.result==='PASSED'}
`

const badge = (result: Result): string => `<span class="r ${result}">${result}</span>`

const sectionLink = (section: ModuleReport['section'][number]): string => {
  const link = linkTo(section)
  return link === '' ? escaped(section) : `<a href="${link}">${escaped(section)}</a>`
}

const headersText = (headers: Readonly<Record<string, unknown>>): string =>
  Object.entries(headers)
    .flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${String(one)}`))
    .join('\n')

const BY: Readonly<Record<Exchange['by'], Text>> = {
  client: ['client', 'クライアント'],
  browser: ['browser', 'ブラウザ'],
  provider: ['provider', '提供者'],
}

const exchangePart = (exchange: Exchange, index: number): string => {
  const { by, method, url, status, error, milliseconds } = exchange
  const request = [headersText(exchange.requestHeaders), exchange.requestBody].filter(Boolean)
  const answer = [headersText(exchange.responseHeaders), exchange.responseBody].filter(Boolean)
  return `<details><summary>${index + 1}. ${t(BY[by])}: ${method} ${escaped(url)} → ${status ?? escaped(error ?? '')} (${milliseconds} ms)</summary><pre>${escaped(request.join('\n\n'))}</pre><pre>${escaped(answer.join('\n\n'))}</pre></details>`
}

const modulePart = (report: ModuleReport, difference: Difference | undefined): string => {
  const rows = report.conditions.map(
    ({ result, text, section, found }) =>
      `<tr><td>${badge(result)}</td><td>${t(text)}</td><td>${sectionLink(section)}</td><td>${found === undefined ? '' : `<code>${escaped(found)}</code>`}</td></tr>`,
  )
  const said = [
    ...(report.reason ? [`<p>${t(report.reason)}</p>`] : []),
    ...(report.error === undefined
      ? []
      : [`<p>${t(['Error', 'エラー'])}: <code>${escaped(report.error)}</code></p>`]),
    ...(difference
      ? [`<p>${t(['Not as expected', '想定と違う'])}: ${escaped(difference.text)}</p>`]
      : []),
    ...(rows.length > 0
      ? [
          `<table><tr><th></th><th>${t(['Rule', '規則'])}</th><th>${t(['Section', '規格の節'])}</th><th>${t(['Found', '実際'])}</th></tr>${rows.join('')}</table>`,
        ]
      : []),
  ]
  const isOpen = report.result === 'FAILED' ? ' open' : ''
  return `<details class="m" data-result="${report.result}"${isOpen} id="${report.id}"><summary>${badge(report.result)} <code>${report.id}</code> ${t(report.title)} <small>${report.section.map(sectionLink).join('; ')}, ${report.milliseconds} ms</small></summary>${said.join('')}${report.exchanges.map(exchangePart).join('')}</details>`
}

/**
 * One page with nothing outside it: every module, rule and exchange, in Japanese and English. What
 * it shows was masked when it was taken down.
 */
export const html = (
  report: Report,
  titles: Readonly<Record<string, Text>>,
  found: readonly Difference[],
): string => {
  const plans = [...new Set(report.modules.map(({ plan }) => plan))]
  const row = (name: string, modules: readonly ModuleReport[]) => {
    const counts = totals(modules)
    const cells = RESULTS.map((one) => `<td class="n">${counts[one]}</td>`)
    return `<tr><th>${name}</th>${cells.join('')}</tr>`
  }
  const of = (plan: string) => report.modules.filter((one) => one.plan === plan)
  const titleOf = (plan: string) => t(titles[plan] ?? [plan, plan])
  const heading: Text = ['Conformance report', '適合試験の結果']
  return `<!doctype html>
<html lang="ja" class="ja"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${heading[1]} / ${heading[0]}: ${escaped(report.issuer)}</title><style>${STYLE}</style></head>
<body><nav><button type="button" data-lang="ja">日本語</button> <button type="button" data-lang="en">English</button></nav>
<h1>${t(heading)}</h1>
<p><code>${escaped(report.issuer)}</code>, ${escaped(report.startedAt)}, ${(report.milliseconds / 1000).toFixed(1)} s, ${t(['driver', 'ドライバー'])}: ${escaped(report.driver)}, ${t(['metadata', 'メタデータ'])}: <code>${report.metadataDigest.slice(0, 16)}</code></p>
${report.stopped === undefined ? '' : `<p class="stop">${t(['The run was stopped', '途中で中止した'])}: ${escaped(report.stopped)}</p>`}
<table><tr><th></th>${RESULTS.map((one) => `<th>${badge(one)}</th>`).join('')}</tr>${plans.map((plan) => row(titleOf(plan), of(plan))).join('')}${row(t(['All', '合計']), report.modules)}</table>
<ul>${RESULTS.map((one) => `<li>${badge(one)} ${t(MEANING[one])}</li>`).join('')}</ul>
<p><label><input type="checkbox" id="only"> ${t(['Hide what has passed', '合格したものを隠す'])}</label></p>
${plans
  .map(
    (plan) =>
      `<h2>${titleOf(plan)}</h2>${of(plan)
        .map((one) =>
          modulePart(
            one,
            found.find(({ module }) => module === one.id),
          ),
        )
        .join('')}`,
  )
  .join('')}
<script>${SCRIPT}</script></body></html>
`
}
