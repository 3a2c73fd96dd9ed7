# SPDX-License-Identifier: BSD-3-Clause
# Completion for bash: commands and options as the program's own --help has them.
_handfast()
{
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local commands command i values

	commands=$("$program" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ " ${commands//$'\n'/ } " == *" ${COMP_WORDS[i]} "* ]]; then
			command=${COMP_WORDS[i]}
			break
		fi
	done
	if [[ -z $command ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$word")
		return
	fi
	# "--idle auto|spin|sleep": one of a few words; anything else may be a file
	values=$("$program" "$command" --help 2>/dev/null | sed -n "s/^ *\(-[a-zA-Z], \)\?$before \([a-z0-9|]*|[a-z0-9|]*\) .*/\2/p")
	if [[ $before == -* && -n $values ]]; then
		mapfile -t COMPREPLY < <(compgen -W "${values//|/ }" -- "$word")
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$("$program" "$command" --help 2>/dev/null |
			grep -oE '^ +(-[a-zA-Z0-9], )*(-[a-zA-Z0-9]|--[a-z-]+)(, --[a-z-]+)*' | tr -d ',')" -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}
complete -o filenames -F _handfast handfast
