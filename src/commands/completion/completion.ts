/**
 * The command `sophia-run completion`, which prints the completion script for a shell. Whenever the user presses Tab, the
 * script starts `sophia-run --get-yargs-completions`, and offers what that prints. completion-candidates.ts describes the
 * three forms of this answer.
 */
import { ExitStatus } from "../../core/error.ts";
import type { Command } from "../command.ts";

export const completion: Command = ({ positionals }, context) => {
  context.out(COMPLETION_SCRIPTS[positionals[0] ?? ""] ?? "");
  return Promise.resolve(ExitStatus.ok);
};

/**
 * The scripts by shell. They pass the user's words behind `--`, because Node.js would otherwise take some of them for its
 * options.
 */
const COMPLETION_SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# bash completion for sophia-run. Source it, or add it to ~/.bashrc.
_sophia_run() {
  local i line value
  COMPREPLY=()
  # "=" breaks words: --option=value comes in three. Where each word begins is kept.
  local -a words=("\${COMP_WORDS[0]}") starts=(0)
  for ((i = 1; i <= COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} == = && i -gt 1 ]]; then
      words[-1]+==
    elif [[ \${COMP_WORDS[i - 1]} == = && i -gt 2 ]]; then
      words[-1]+=\${COMP_WORDS[i]}
    else
      words+=("\${COMP_WORDS[i]}") starts+=($i)
    fi
  done
  local prefix=
  [[ \${words[-1]} == --*=* ]] && prefix=\${words[-1]%%=*}=
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default 2>/dev/null
      return
    elif [[ $line == ":command "* ]]; then
      i=\${starts[\${line#:command }]}
      if declare -F _command_offset >/dev/null; then
        _command_offset $i
      elif ((COMP_CWORD == i)); then
        mapfile -t COMPREPLY < <(compgen -c -- "\${COMP_WORDS[COMP_CWORD]}")
      else
        compopt -o default 2>/dev/null
      fi
      return
    fi
    value=\${line%%$'\\t'*}
    COMPREPLY+=("\${value#"$prefix"}")
  done < <("\${COMP_WORDS[0]}" --get-yargs-completions -- "\${words[@]}" 2>/dev/null)
}
complete -F _sophia_run sophia-run
`,
  zsh: `#compdef sophia-run
# zsh completion for sophia-run. Save it as _sophia-run in a folder of fpath, or source it after compinit.
_sophia_run() {
  local -a described
  local line value
  for line in "\${(@f)$("\${words[1]}" --get-yargs-completions -- "\${(@)words[1,CURRENT]}" 2>/dev/null)}"; do
    [[ -z $line ]] && continue
    if [[ $line == :files ]]; then
      [[ \${words[CURRENT]} == --*=* ]] && compset -P '*='
      _files
      return
    elif [[ $line == ":command "* ]]; then
      shift \${line#:command } words
      (( CURRENT -= \${line#:command } ))
      _normal
      return
    fi
    value=\${\${line%%$'\\t'*}//:/\\\\:}
    if [[ $line == *$'\\t'* ]]; then
      described+=("$value:\${line#*$'\\t'}")
    else
      described+=("$value")
    fi
  done
  # Not as options (-o): zsh would complete those alone, and only behind a dash.
  _describe 'sophia-run' described
}
# A file in a folder of fpath is the body of a function with its name.
if [[ \${funcstack[1]} == _sophia[-_]run ]]; then
  _sophia_run "$@"
else
  compdef _sophia_run sophia-run
fi
`,
  fish: `# fish completion for sophia-run. Save it as ~/.config/fish/completions/sophia-run.fish.
function __sophia_run_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer ($words[1] --get-yargs-completions -- $words "$current" 2>/dev/null)
    if test "$answer" = :files
        set -l prefix (string match -r -- '^--[^=]*=' $current)
        for path in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' $current))
            printf '%s%s\\n' "$prefix" $path
        end
        return
    end
    set -l start (string match -rg -- '^:command (\\d+)$' $answer)
    if test -n "$start"
        set -l rest $words[(math $start + 1)..]
        complete -C (string join ' ' -- (string escape -- $rest) "$current")
        return
    end
    printf '%s\\n' $answer
end
complete -c sophia-run -f -a '(__sophia_run_complete)'
`,
};
