/** Shells that completion is written for. */
export const SHELLS = ['bash', 'fish', 'zsh'] as const;
export type Shell = (typeof SHELLS)[number];

/** The function that a shell loads: it asks `PROGRAM __complete WORDS…`, whose last line says what else to offer. */
export function completionScript(shell: Shell, program: string): string {
  return SCRIPTS[shell].replaceAll('PROGRAM', program);
}

const BASH = String.raw`# bash completion for PROGRAM; load it with: source <(PROGRAM completion bash)
_PROGRAM_complete() {
  local line=\${COMP_LINE:0:COMP_POINT} reply word files='' cut=''
  local -a words=()
  read -ra words <<<"$line"
  # A space before the cursor starts a new word.
  [[ $line == *[[:space:]] ]] && words+=('')
  local current=\${words[-1]}
  COMPREPLY=()
  reply=$("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null) || return
  # Bash breaks words at : and =, and replaces only what follows the last of them.
  [[ $current == *[:=]* && \${COMP_WORDBREAKS} == *[:=]* ]] && cut=\${current%"\${current##*[:=]}"}
  while IFS=$'\t' read -r word _; do
    case $word in
      :file | :directory) files=\${word#:} ;;
      :*) ;;
      *) COMPREPLY+=("\${word#"$cut"}") ;;
    esac
  done <<<"$reply"
  if [[ $files == directory ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -d -- "$current")
  elif [[ $files == file ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}
complete -F _PROGRAM_complete PROGRAM
`;

const ZSH = String.raw`#compdef PROGRAM
# zsh completion for PROGRAM; load it with: source <(PROGRAM completion zsh)
_PROGRAM() {
  local -a offered=()
  local line value help files=''
  while IFS= read -r line; do
    value=\${line%%$'\t'*}
    help=\${line#*$'\t'}
    case $value in
      :file | :directory) files=\${value#:} ;;
      :*) ;;
      *) [[ $line == *$'\t'* ]] && offered+=("\${value//:/\\:}:$help") || offered+=("\${value//:/\\:}") ;;
    esac
  done < <("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if [[ $files == directory ]]; then
    _files -/
  elif [[ $files == file ]]; then
    _files
  else
    _describe 'PROGRAM' offered
  fi
}
if [[ \${funcstack[1]} == _PROGRAM ]]; then
  _PROGRAM
else
  compdef _PROGRAM PROGRAM
fi
`;

const FISH = `# fish completion for PROGRAM; load it with: PROGRAM completion fish | source
function __PROGRAM_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete $words[2..] $current 2>/dev/null)
        switch $line
            case ':file'
                __fish_complete_path $current
            case ':directory'
                __fish_complete_directories $current
            case ':*'
            case '*'
                echo $line
        end
    end
end
complete -c PROGRAM -f -a '(__PROGRAM_complete)'
`;

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: unescaped(BASH),
  fish: FISH,
  zsh: unescaped(ZSH),
};

/** A dollar before a brace would be the template's own. */
function unescaped(text: string): string {
  return text.replaceAll('\\${', '${');
}
