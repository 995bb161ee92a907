"""How the card looks on paper. No colour carries a meaning that shape does not carry as well."""

from typing import Final

CSS: Final = """\
@page { margin: 8mm }
* { box-sizing: border-box }
html { font: 9.4pt/1.2 "DejaVu Sans", "Noto Sans", Verdana, sans-serif; color: #111 }
body { margin: 0 auto; width: 192mm }
header { border-bottom: 0.6mm solid #111; margin-bottom: 2.2mm; padding-bottom: 1.2mm }
h1 { font-size: 19pt; line-height: 1.1; margin: 0; letter-spacing: -0.2pt }
h2 { font-size: 11.5pt; margin: 0 0 0.5mm; padding: 0.5mm 1.5mm; background: #111; color: #fff }
p { margin: 0 }
.promise { font-size: 11pt; font-weight: bold }
main { display: grid; grid-template-columns: 81mm 107mm; gap: 4mm }
section { margin-bottom: 2mm; break-inside: avoid }
table { width: 100%; border-collapse: collapse }
td, th { padding: 0.6mm 1mm; vertical-align: middle; text-align: left; line-height: 1.14 }
tr { border-bottom: 0.2mm solid #bbb }
th { width: 46mm; font-weight: bold }
small { font-size: 7.2pt; font-weight: normal; color: #333 }
.lamp td:first-child { width: 41mm; line-height: 1 }
.lamp svg { width: 39mm; height: 3.9mm; display: block; margin-bottom: 0.4mm }
.lamp small b { font-size: 7.6pt; color: #111 }
.tones td:first-child { width: 20mm; line-height: 0 }
.tones svg { width: 18mm; height: 3.6mm }
.tones td, .keys td, .keys th { font-size: 8.5pt; line-height: 1.1 }
.hosts h2 { background: #fff; color: #111; border: 0.5mm solid #111 }
footer { border-top: 0.6mm solid #111; padding-top: 1mm; font-size: 10pt; font-weight: bold }
footer small { float: right; padding-top: 1mm }
svg, h2 { print-color-adjust: exact; -webkit-print-color-adjust: exact }
"""
