/**
 * The completion scripts. Each asks sophia-run for proposals and leaves what stands behind `--` to the shell's own
 * completion of the command there. yargs adds descriptions by the name of the shell in SHELL.
 */
export const SCRIPTS = {
  bash: `# bash completion of sophia-run: eval "$(sophia-run completion bash)" in ~/.bashrc
_sophia_run() {
  local word index=0
  for word in "\${COMP_WORDS[@]:0:COMP_CWORD}"; do
    index=$((index + 1))
    if [ "$word" = -- ]; then
      if declare -F _command_offset >/dev/null; then
        _command_offset "$index"
      elif [ "$index" -eq "$COMP_CWORD" ]; then
        COMPREPLY=($(compgen -c -- "\${COMP_WORDS[COMP_CWORD]}"))
      fi
      return
    fi
  done
  local IFS=$'\\n'
  COMPREPLY=($(SHELL=bash sophia-run --get-yargs-completions "\${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null))
}
complete -o bashdefault -o default -F _sophia_run sophia-run
`,
  zsh: `#compdef sophia-run
# zsh completion of sophia-run: as a file _sophia-run in a folder of fpath, or
# eval "$(sophia-run completion zsh)" in ~/.zshrc after compinit
_sophia_run() {
  local at=\${words[(ie)--]}
  if (( at < CURRENT )); then
    shift $at words
    (( CURRENT -= at ))
    _normal
    return
  fi
  local -a proposals
  proposals=(\${(f)"$(SHELL=zsh sophia-run --get-yargs-completions "\${(@)words[1,CURRENT]}" 2>/dev/null)"})
  if (( \${#proposals} )); then _describe sophia-run proposals; else _files; fi
}
if [ "$funcstack[1]" = "_sophia-run" ]; then _sophia_run "$@"; else compdef _sophia_run sophia-run; fi
`,
  fish: `# fish completion of sophia-run: sophia-run completion fish > ~/.config/fish/completions/sophia-run.fish
function __sophia_run_behind_dashes
  contains -- -- (commandline -opc)
end
function __sophia_run_proposals
  set -lx SHELL fish
  sophia-run --get-yargs-completions (commandline -opc) (commandline -ct) 2>/dev/null
end
function __sophia_run_command
  set -l words (commandline -opc) (commandline -ct)
  set -l at (contains -i -- -- $words)
  complete -C (string join ' ' -- (string escape -- $words[(math $at + 1)..-2]) $words[-1])
end
complete -c sophia-run -n 'not __sophia_run_behind_dashes' -a '(__sophia_run_proposals)'
complete -c sophia-run -f -n __sophia_run_behind_dashes -a '(__sophia_run_command)'
`,
} as const;
