#!/bin/sh
# kubectl runs this file when you press TAB after the name of its plugin kubecoin.
# Created by kubectl-kubecoin completion install; completion uninstall deletes it.
command -v kubectl-kubecoin >/dev/null || exit 0
export KUBECOIN_COMPLETE=kubectl
exec kubectl-kubecoin -- kubectl-kubecoin "$@"
