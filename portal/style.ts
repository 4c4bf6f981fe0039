/** The portal's style sheet, served by itself. */
export const STYLE = `
:root { --key: #b3315f; --tint: #fdf1f5; --ink: #23262b; --soft: #565c66; --line: #d8dbe0; }
body.navi { --key: #00695c; --tint: #eef7f5; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--tint);
  color: var(--ink); font: 1rem/1.75 'Hiragino Sans', 'Yu Gothic UI', 'Noto Sans JP', 'Noto Sans CJK JP', Meiryo, sans-serif; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; padding: .5rem 1rem; background: #fff; z-index: 1; }
a { color: var(--key); text-underline-offset: .2em; }
:focus-visible { outline: 3px solid #000; outline-offset: 2px; box-shadow: 0 0 0 2px #ffd43d; border-radius: 6px; }
header { background: #fff; border-bottom: 1px solid var(--line); }
.bar { max-width: 60rem; margin: 0 auto; padding: .75rem 1rem; display: flex; align-items: center; gap: .75rem; }
.brand { font-weight: 700; font-size: 1.125rem; color: var(--ink); text-decoration: none; }
.brand::before { content: ''; display: inline-block; width: 1.25rem; height: 1.25rem; margin-right: .5rem;
  border-radius: 50% 50% 50% 0; background: var(--key); vertical-align: -.2rem; }
nav { margin-left: auto; display: flex; gap: .25rem; font-size: .9375rem; }
nav a, nav span { padding: .5rem; min-height: 2.75rem; display: inline-flex; align-items: center; }
nav span { font-weight: 700; }
main { flex: 1; width: 100%; max-width: 60rem; margin: 0 auto; padding: 2rem 1rem 3rem; }
h1 { font-size: 1.75rem; line-height: 1.4; margin: 0 0 .5rem; word-break: auto-phrase; }
h2 { font-size: 1.1875rem; margin: 2rem 0 .75rem; }
.lead { margin: 0 0 1.5rem; color: var(--soft); }
.hero, .notice { background: #fff; border: 1px solid var(--line); border-radius: 16px; padding: 2rem 1.5rem; }
.button { display: inline-flex; align-items: center; justify-content: center; min-height: 3.25rem; padding: .5rem 2rem;
  border: 2px solid var(--key); border-radius: 10px; background: var(--key); color: #fff; font: inherit; font-weight: 700;
  text-decoration: none; cursor: pointer; }
.button.plain { background: #fff; color: var(--key); }
.hint { margin: 1rem 0 0; font-size: .9375rem; color: var(--soft); }
.row .lead { margin: 0; }
.row { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; }
.cards { list-style: none; margin: 0; padding: 0; display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); }
.cards li { background: #fff; border: 1px solid var(--line); border-radius: 12px; padding: 1rem 1.25rem; }
.cards b { display: block; }
.cards span { color: var(--soft); font-size: .9375rem; }
details { margin-top: .75rem; background: #fff; border: 1px solid var(--line); border-radius: 12px; padding: .25rem 1.25rem; }
details:first-of-type { margin-top: 2rem; }
summary { min-height: 2.75rem; padding: .5rem 0; font-weight: 700; cursor: pointer; }
table { width: 100%; border-collapse: collapse; margin: .25rem 0 1rem; font-size: .9375rem; }
th, td { padding: .375rem .5rem .375rem 0; text-align: left; vertical-align: top; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
th { white-space: nowrap; font-weight: 400; color: var(--soft); }
.tries { padding-left: 1.25rem; }
.tries a { display: block; padding: .375rem 0; }
footer { padding: 1rem; text-align: center; font-size: .875rem; color: var(--soft); background: #fff; border-top: 1px solid var(--line); }
`
