#!/bin/sh
# The tour on kind, as plain commands. Run it with: sh -eu FILE
# Printed by kubetour (./inv script); each step stops the script if it fails.
# shellcheck disable=SC2016,SC2086  # templates have $ too; $curl is several words
set -eu
cd /path/to/kubetour
mkdir -p .kubetour

# tools: The tools
kubectl version --client -o json

# app: The app and its Dockerfile
cat Dockerfile
cat app/app.js

# build-context: Experiment: what the builder gets
if nerdctl image inspect kubetour-node-hostname-context:all >/dev/null 2>&1; then
    echo 'build-context: this is there already, and maybe not yours' >&2; exit 9
fi
trap 'set +e; nerdctl image rm kubetour-node-hostname-context:all kubetour-node-hostname-context:rest; rm -rf .kubetour/build-context' EXIT
rm -rf .kubetour/build-context
mkdir -p .kubetour/build-context
dd if=/dev/urandom of=.kubetour/build-context/big.log bs=1024 count=1024
tee .kubetour/build-context/Dockerfile <<'EOF'
FROM scratch
COPY . /
EOF
nerdctl build --provenance=false --sbom=false -t kubetour-node-hostname-context:all .kubetour/build-context
tee .kubetour/build-context/.dockerignore <<'EOF'
*.log
EOF
nerdctl build --provenance=false --sbom=false -t kubetour-node-hostname-context:rest .kubetour/build-context
nerdctl image inspect --format '{{.Size}}' kubetour-node-hostname-context:all kubetour-node-hostname-context:rest
nerdctl image rm kubetour-node-hostname-context:all kubetour-node-hostname-context:rest
rm -rf .kubetour/build-context

# build: Build the image
trap - EXIT
if ! nerdctl image inspect node-hostname:0123456789ab >/dev/null 2>&1; then
nerdctl build --provenance=false --sbom=false -t node-hostname:0123456789ab .
fi
nerdctl image inspect node-hostname:0123456789ab

# layers: The image's layers
nerdctl history node-hostname:0123456789ab
nerdctl history --no-trunc --format '{{json .}}' node-hostname:0123456789ab

# shared-layers: Experiment: what a change costs
if nerdctl image inspect kubetour-node-hostname-layers:1 >/dev/null 2>&1; then
    echo 'shared-layers: this is there already, and maybe not yours' >&2; exit 9
fi
trap 'set +e; nerdctl image rm kubetour-node-hostname-layers:1 kubetour-node-hostname-layers:2; rm -rf .kubetour/layers' EXIT
mkdir -p .kubetour/layers
dd if=/dev/urandom of=.kubetour/layers/libraries.bin bs=1024 count=1024
tee .kubetour/layers/app.txt <<'EOF'
version 1
EOF
tee .kubetour/layers/Dockerfile <<'EOF'
FROM scratch
COPY libraries.bin /app/
COPY app.txt /app/
EOF
nerdctl build --provenance=false --sbom=false -t kubetour-node-hostname-layers:1 .kubetour/layers
tee .kubetour/layers/app.txt <<'EOF'
version 2
EOF
nerdctl build --provenance=false --sbom=false -t kubetour-node-hostname-layers:2 .kubetour/layers
nerdctl image inspect --format '{{json .RootFS.Layers}}' kubetour-node-hostname-layers:1 kubetour-node-hostname-layers:2
nerdctl image rm kubetour-node-hostname-layers:1 kubetour-node-hostname-layers:2
rm -rf .kubetour/layers

# run-container: Run it as a container
trap - EXIT
if ! nerdctl inspect kubetour-node-hostname >/dev/null 2>&1; then
nerdctl run -d --name kubetour-node-hostname --label app.kubernetes.io/managed-by=kubetour -p 127.0.0.1:18080:8080 node-hostname:0123456789ab
fi
nerdctl inspect kubetour-node-hostname

# hit-container: Ask it for an answer
tries=0
until curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' http://127.0.0.1:18080/; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done
nerdctl inspect kubetour-node-hostname

# container-logs: Read its log
nerdctl logs kubetour-node-hostname

# stop-container: Stop it, and mind SIGTERM
nerdctl stop kubetour-node-hostname
nerdctl rm kubetour-node-hostname

# not-a-vm: Experiment: where the container is
if nerdctl inspect kubetour-node-hostname-not-a-vm >/dev/null 2>&1; then
    echo 'not-a-vm: this is there already, and maybe not yours' >&2; exit 9
fi
trap 'nerdctl rm -f kubetour-node-hostname-not-a-vm' EXIT
uname -n
nerdctl run -d --name kubetour-node-hostname-not-a-vm --label app.kubernetes.io/managed-by=kubetour node-hostname:0123456789ab
nerdctl exec kubetour-node-hostname-not-a-vm node -p 'os.hostname()'
nerdctl inspect --format '{{.State.Pid}} {{.State.StartedAt}}' kubetour-node-hostname-not-a-vm
nerdctl top kubetour-node-hostname-not-a-vm
sh -c 'cat /proc/uptime; grep NSpid "/proc/$0/status" || true' "$(nerdctl inspect --format '{{.State.Pid}}' kubetour-node-hostname-not-a-vm)"
nerdctl rm -f kubetour-node-hostname-not-a-vm

# create-cluster: Create a cluster
if ! env KIND_EXPERIMENTAL_PROVIDER=nerdctl kind export kubeconfig --name kubetour --kubeconfig .kubetour/kind-kubetour.kubeconfig >/dev/null 2>&1; then
if nerdctl inspect --type container kubetour-control-plane >/dev/null 2>&1; then
    echo 'create-cluster: this is there already, and maybe not yours' >&2; exit 9
fi
trap 'set +e; env KIND_EXPERIMENTAL_PROVIDER=nerdctl kind export logs .kubetour/logs/kind-kubetour --name kubetour; env KIND_EXPERIMENTAL_PROVIDER=nerdctl kind delete cluster --name kubetour --kubeconfig .kubetour/kind-kubetour.kubeconfig' EXIT
env KIND_EXPERIMENTAL_PROVIDER=nerdctl kind create cluster --name kubetour --kubeconfig .kubetour/kind-kubetour.kubeconfig --config - --retain <<'EOF'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
  labels:
    kubetour.dev/managed-by: kubetour
  extraPortMappings:
  - containerPort: 30080
    hostPort: 30080
    listenAddress: 127.0.0.1
- role: worker
  labels:
    kubetour.dev/managed-by: kubetour
- role: worker
  labels:
    kubetour.dev/managed-by: kubetour
EOF
fi
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour wait --for=condition=Ready nodes --all --timeout=180s

# cluster-info: Where the API server is
trap - EXIT
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour cluster-info
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour version -o json

# nodes: The nodes
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get nodes -o wide

# describe-node: One node in detail
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour describe node kubetour-control-plane

# load: Bring the image to the nodes
trap 'env KIND_EXPERIMENTAL_PROVIDER=nerdctl kind export logs .kubetour/logs/kind-kubetour --name kubetour' EXIT
if ! { nerdctl exec kubetour-control-plane crictl inspecti docker.io/library/node-hostname:0123456789ab && nerdctl exec kubetour-worker crictl inspecti docker.io/library/node-hostname:0123456789ab && nerdctl exec kubetour-worker2 crictl inspecti docker.io/library/node-hostname:0123456789ab; } >/dev/null 2>&1; then
rm -f .kubetour/image.tar
nerdctl image save -o .kubetour/image.tar node-hostname:0123456789ab
env KIND_EXPERIMENTAL_PROVIDER=nerdctl kind load image-archive .kubetour/image.tar --name kubetour
rm -f .kubetour/image.tar
fi
nerdctl exec kubetour-control-plane crictl inspecti docker.io/library/node-hostname:0123456789ab
nerdctl exec kubetour-worker crictl inspecti docker.io/library/node-hostname:0123456789ab
nerdctl exec kubetour-worker2 crictl inspecti docker.io/library/node-hostname:0123456789ab

# run-pod: A first Pod
if ! kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get pod node-hostname-pod >/dev/null 2>&1; then
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour run node-hostname-pod --image node-hostname:0123456789ab --port 8080 --image-pull-policy IfNotPresent --labels run=node-hostname-pod,app.kubernetes.io/managed-by=kubetour
fi
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour wait --for=condition=Ready pod/node-hostname-pod --timeout=180s

# describe-bare-pod: What happened to it
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour describe pod node-hostname-pod

# expose-pod: A Service in front of it
if ! kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service node-hostname-pod >/dev/null 2>&1; then
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour expose pod node-hostname-pod --type NodePort
fi

# hit-pod: Ask the Service
tries=0
until nerdctl exec kubetour-control-plane curl -sS --fail --max-time 5 --noproxy '*' "http://$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service node-hostname-pod -o 'jsonpath={.spec.clusterIP}'):8080/"; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done

# crash: Kill its process
nerdctl exec "$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get pod node-hostname-pod -o 'jsonpath={.spec.nodeName}')" sh -c 'crictl stop $(crictl ps -q --label io.kubernetes.pod.name=node-hostname-pod)'

# delete-pod: Delete it: nothing brings it back
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour delete pod/node-hostname-pod service/node-hostname-pod --ignore-not-found

# deploy: A Deployment
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour apply -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: "node-hostname"
  labels:
    app: "node-hostname"
    app.kubernetes.io/managed-by: kubetour
spec:
  replicas: 1
  selector:
    matchLabels:
      app: "node-hostname"
  template:
    metadata:
      labels:
        app: "node-hostname"
        app.kubernetes.io/managed-by: kubetour
      annotations:
        kubetour.dev/build-context: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: "node-hostname"
          image: "node-hostname:0123456789ab"
          imagePullPolicy: IfNotPresent
          env:
            # After SIGTERM: no node may still send a new connection when the app stops to take them.
            - name: DRAIN_MS
              value: "2000"
          ports:
            - name: http
              containerPort: 8080
          readinessProbe:
            httpGet:
              path: "/healthz"
              port: http
            periodSeconds: 1
          resources:
            requests:
              cpu: 10m
              memory: 32Mi
            limits:
              memory: 256Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: ["ALL"]
EOF
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour rollout status deployment/node-hostname --timeout=180s

# replace-pod: Delete its Pod: another comes
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour delete pods -l app=node-hostname --wait=false

# expose: A Service for the Deployment
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: "node-hostname"
  labels:
    app: "node-hostname"
    app.kubernetes.io/managed-by: kubetour
spec:
  type: LoadBalancer
  selector:
    app: "node-hostname"
  ports:
    - name: http
      port: 8080
      targetPort: http
      nodePort: 30080
EOF

# services: Why EXTERNAL-IP may be pending
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get services

# hit-inside: Hit it from inside a node
tries=0
until nerdctl exec kubetour-control-plane curl -sS --fail --max-time 5 --noproxy '*' "http://$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service node-hostname -o 'jsonpath={.spec.clusterIP}'):8080/"; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done

# hit: Hit it from outside
tries=0
while true; do
    # rung.load-balancer
    curl=curl; url="$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service node-hostname -o 'go-template={{with .status.loadBalancer.ingress}}{{with index . 0}}http://{{if .ip}}{{.ip}}{{else}}{{.hostname}}{{end}}:8080/{{end}}{{end}}')"
    if [ -n "$url" ] && $curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' "${url}"; then break; fi
    # rung.host-port
    curl=curl; url=http://127.0.0.1:30080/
    if $curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' "${url}"; then break; fi
    # rung.node
    curl=curl; url="$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service,pod -l app=node-hostname -o 'go-template={{$port := ""}}{{$host := ""}}{{range .items}}{{if eq .kind "Service"}}{{$port = (index .spec.ports 0).nodePort}}{{end}}{{if eq .kind "Pod"}}{{$host = .status.hostIP}}{{end}}{{end}}{{if and $host $port}}http://{{$host}}:{{$port}}/{{end}}')"
    if [ -n "$url" ] && $curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' "${url}"; then break; fi
    # rung.inside
    curl='nerdctl exec kubetour-control-plane curl'; url="http://$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service node-hostname -o 'jsonpath={.spec.clusterIP}'):8080/"
    if $curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' "${url}"; then break; fi
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done

# picture: The whole picture
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get deployment,replicaset,pod,service,endpointslice -l app=node-hostname

# same-address: Others behind it, the same Service
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour delete pods -l app=node-hostname --wait=false

# hit-again: The same question, another answer
tries=0
until $curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' "${url}"; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done

# scale: Scale it
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour scale deployment/node-hostname --replicas=3
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour rollout status deployment/node-hostname --timeout=180s
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get deployment node-hostname

# hit-all: Hit it until every Pod has answered
tries=0
until $curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' "${url}?[1-37]"; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done

# scale-under-load: Scale it while requests come in
trap 'set +e; env KIND_EXPERIMENTAL_PROVIDER=nerdctl kind export logs .kubetour/logs/kind-kubetour --name kubetour; kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour scale deployment/node-hostname --replicas=3' EXIT
.venv/bin/python -m kubetour.steady --rate 50 --before 0.5 --after 1.5 "${url}" -- kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour scale deployment/node-hostname --replicas=2 -- kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour rollout status deployment/node-hostname --timeout=180s -- kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour scale deployment/node-hostname --replicas=3 -- kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour rollout status deployment/node-hostname --timeout=180s

# pods: Which node runs what
trap 'env KIND_EXPERIMENTAL_PROVIDER=nerdctl kind export logs .kubetour/logs/kind-kubetour --name kubetour' EXIT
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get pods -o wide -l app=node-hostname

# describe-pod: A Pod's story
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour describe pod "$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get pods -l app=node-hostname -o 'go-template={{$name := ""}}{{range .items}}{{if not .metadata.deletionTimestamp}}{{$name = .metadata.name}}{{end}}{{end}}{{$name}}')"

# delete-app: Remove the app
trap - EXIT
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour delete deployment/node-hostname service/node-hostname pod/node-hostname-pod service/node-hostname-pod --ignore-not-found

# delete-cluster: Delete the cluster
env KIND_EXPERIMENTAL_PROVIDER=nerdctl kind delete cluster --name kubetour --kubeconfig .kubetour/kind-kubetour.kubeconfig
rm -f .kubetour/kind-kubetour.kubeconfig
env KIND_EXPERIMENTAL_PROVIDER=nerdctl kind get clusters
nerdctl ps -a --filter label=io.x-k8s.kind.cluster=kubetour --format '{{.Names}}'

# delete-image: Delete the image
nerdctl image rm node-hostname:0123456789ab
nerdctl images --format '{{.Repository}}:{{.Tag}}'
