/**
 * Dockerfiles that have made readers stumble, or might: each is to be planned, or refused with a DockerfileError. Large ones are
 * made when they are asked for.
 */
export const CORPUS: Readonly<Record<string, () => string>> = {
  'no bytes': () => '',
  blanks: () => ' \n\t\r\n',
  'a byte order mark alone': () => '\uFEFF',
  'a byte order mark and UTF-16': () => Buffer.from('\uFEFFFROM a\n', 'utf16le').toString('utf8'),
  'bytes of nothing': () => Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('utf8'),
  'NUL within': () => 'FROM a\nRUN echo \0 x\nENV A\0=b\nCOPY \0 /\n',
  'carriage returns': () => 'FROM a\r\nRUN x \\\r\n y\r\nENV A=b\r\n',
  'carriage returns alone': () => 'FROM a\rRUN x\r',
  'a continuation at the end': () => 'FROM a\nRUN x \\',
  'a continuation of nothing': () => '\\\n\\\n\\\n',
  'a continued remark': () => 'FROM a\n# x \\\nRUN y\n',
  'directives twice': () => '# escape=`\n# escape=\\\nFROM a\n',
  'a directive of blanks': () => `# syntax=a${' '.repeat(60_000)}b\nFROM a\n`,
  'an escape that is none': () => '# escape=\\\\\nFROM a\n',
  'an empty heredoc': () => 'FROM a\nRUN <<E\nE\nCOPY <<E /\nE\n',
  'a heredoc without end': () => 'FROM a\nRUN <<E\nx\n',
  'a heredoc of a heredoc': () => 'FROM a\nRUN <<A <<B\n<<B\nA\nA\nB\n',
  'heredocs in an ONBUILD': () => 'FROM a AS b\nONBUILD COPY <<A <<B /\na\nA\nb\nB\nFROM b\n',
  'a heredoc that ends with quotes': () => 'FROM a\nRUN <<"E\nx\nE\n',
  'a thousand heredocs': () => `FROM a\nRUN ${'<<E '.repeat(1000)}\n${'E\n'.repeat(1000)}`,
  'a large heredoc': () => `FROM a\nRUN <<E\n${`${'x'.repeat(1000)}\n`.repeat(1000)}E\n`,
  'braces that never close': () => `FROM a\nENV A=${'${x:-'.repeat(5000)}\n`,
  'braces that all close': () => `FROM a\nENV A=${'${x:-'.repeat(90)}${'}'.repeat(90)}\n`,
  'quotes in quotes': () => `FROM a\nENV A=${'"a\''.repeat(20_000)}\n`,
  'a variable made of itself': () => `FROM a\nENV V=${'v'.repeat(1000)}\n${'ENV V=$V$V$V$V$V$V$V$V\n'.repeat(20)}`,
  'a pattern of stars': () => `FROM a\nENV V=${'a'.repeat(60_000)}\nENV B=\${V//${'a*'.repeat(20_000)}b/x}\n`,
  'a pattern that matches nothing': () => 'FROM a\nENV V=aaa\nENV B=${V//*/x}${V/#/}${V//?/}\n',
  'arguments made of arguments': () =>
    `ARG A0=a\n${Array.from({ length: 20_000 }, (_, index) => `ARG A${index + 1}=$A${index}`).join('\n')}\nFROM $A20000\n`,
  'a label named after a prototype': () => 'FROM a\nLABEL __proto__=x constructor=y\nENV __proto__=z\nEXPOSE 1\n',
  'an instruction named after a prototype': () => 'FROM a\n__proto__ x\nconstructor y\n',
  'a flag named after a prototype': () => 'FROM a\nRUN --__proto__=x y\n',
  'stages in a circle': () =>
    'FROM a AS b\nCOPY --from=d / /\nFROM a AS c\nCOPY --from=b / /\nFROM a AS d\nCOPY --from=c / /\n',
  'a stage of itself': () => 'FROM a AS b\nCOPY --from=b / /\n',
  'a trigger that copies from its own stage': () => 'FROM a AS b\nONBUILD COPY --from=c / /\nFROM b AS c\n',
  'many stages': () => Array.from({ length: 6000 }, (_, index) => `FROM a AS s${index}`).join('\n'),
  'stages one on the other': () =>
    Array.from({ length: 3000 }, (_, index) => (index === 0 ? 'FROM a AS s0' : `FROM s${index - 1} AS s${index}`)).join(
      '\n',
    ),
  'a hundred thousand lines': () => `FROM a\n${'RUN x\n'.repeat(100_000)}`,
  'a hundred thousand remarks': () => `${'# x\n'.repeat(100_000)}FROM a\n`,
  'a hundred thousand variables': () =>
    `FROM a\n${Array.from({ length: 100_000 }, (_, index) => `ENV a${index}=b`).join('\n')}\n`,
  'unset variables by the thousand': () =>
    `FROM a\n${Array.from({ length: 5000 }, (_, index) => `ENV a${index}=$b${index}`).join('\n')}\n`,
  'a line of a megabyte': () => `FROM a\nRUN ${'x'.repeat(1 << 20)}\n`,
  'a megabyte in joined lines': () => `FROM a\nRUN ${`${'x '.repeat(30_000)}\\\n`.repeat(17)}\n`,
  'blanks in joined lines': () => `FROM a\nRUN a${`${' '.repeat(60_000)}\\\n`.repeat(17)}b\n`,
  'ONBUILD of ONBUILD': () => `FROM a\nONBUILD ${`${'ONBUILD '.repeat(8000)}\\\n`.repeat(15)}RUN x\n`,
  'an array in an array': () => `FROM a\nCMD ${`${'['.repeat(60_000)}\\\n`.repeat(15)}\n`,
  'flags by the thousand': () => `FROM a\nRUN ${`${'--mount=a '.repeat(6000)}\\\n`.repeat(15)}x\n`,
  'a mount of quotes': () => `FROM a\nRUN --mount="${`${'""a,'.repeat(10_000)}\\\n`.repeat(20)}" x\n`,
  'every port': () => `FROM a\n${'EXPOSE 0-65535/udp\n'.repeat(5)}`,
  'a mode of operations': () => `FROM a\nCOPY --chmod=${'u+'.repeat(30_000)}! a b\n`,
  'a platform of slashes': () => `FROM --platform=${'a/'.repeat(30_000)} a\n`,
  'a health check of blanks': () => `FROM a\nHEALTHCHECK ${' '.repeat(60_000)}CMD x\n`,
};
