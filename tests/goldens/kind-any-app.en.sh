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
if docker image inspect kubetour-shop-context:all >/dev/null 2>&1; then
    echo 'build-context: this is there already, and maybe not yours' >&2; exit 9
fi
trap 'set +e; docker image rm kubetour-shop-context:all kubetour-shop-context:rest; rm -rf .kubetour/build-context' EXIT
rm -rf .kubetour/build-context
mkdir -p .kubetour/build-context
dd if=/dev/urandom of=.kubetour/build-context/big.log bs=1024 count=1024
tee .kubetour/build-context/Dockerfile <<'EOF'
FROM scratch
COPY . /
EOF
docker build --provenance=false --sbom=false -t kubetour-shop-context:all .kubetour/build-context
tee .kubetour/build-context/.dockerignore <<'EOF'
*.log
EOF
docker build --provenance=false --sbom=false -t kubetour-shop-context:rest .kubetour/build-context
docker image inspect --format '{{.Size}}' kubetour-shop-context:all kubetour-shop-context:rest
docker image rm kubetour-shop-context:all kubetour-shop-context:rest
rm -rf .kubetour/build-context

# build: Build the image
trap - EXIT
if ! docker image inspect node-hostname:0123456789ab >/dev/null 2>&1; then
docker build --provenance=false --sbom=false -t node-hostname:0123456789ab .
fi
docker image inspect node-hostname:0123456789ab

# layers: The image's layers
docker history node-hostname:0123456789ab
docker history --no-trunc --format '{{json .}}' node-hostname:0123456789ab

# shared-layers: Experiment: what a change costs
if docker image inspect kubetour-shop-layers:1 >/dev/null 2>&1; then
    echo 'shared-layers: this is there already, and maybe not yours' >&2; exit 9
fi
trap 'set +e; docker image rm kubetour-shop-layers:1 kubetour-shop-layers:2; rm -rf .kubetour/layers' EXIT
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
docker build --provenance=false --sbom=false -t kubetour-shop-layers:1 .kubetour/layers
tee .kubetour/layers/app.txt <<'EOF'
version 2
EOF
docker build --provenance=false --sbom=false -t kubetour-shop-layers:2 .kubetour/layers
docker image inspect --format '{{json .RootFS.Layers}}' kubetour-shop-layers:1 kubetour-shop-layers:2
docker image rm kubetour-shop-layers:1 kubetour-shop-layers:2
rm -rf .kubetour/layers

# run-container: Run it as a container
trap - EXIT
if ! docker inspect kubetour-shop >/dev/null 2>&1; then
docker run -d --rm --name kubetour-shop --label app.kubernetes.io/managed-by=kubetour -p 127.0.0.1:18080:8080 node-hostname:0123456789ab
fi
docker inspect kubetour-shop

# hit-container: Ask it for an answer
tries=0
until curl -i -sS --max-time 5 --noproxy '*' -A kubetour.6b077cb1.hit-container -H 'Connection: close' 'http://127.0.0.1:18080/?kubetour.6b077cb1.hit-container'; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done
docker inspect kubetour-shop
docker logs kubetour-shop

# container-logs: Read its log
docker logs kubetour-shop

# stop-container: Stop it, and mind SIGTERM
docker stop kubetour-shop

# not-a-vm: Experiment: where the container is
if docker inspect kubetour-shop-not-a-vm >/dev/null 2>&1; then
    echo 'not-a-vm: this is there already, and maybe not yours' >&2; exit 9
fi
trap 'docker rm -f kubetour-shop-not-a-vm' EXIT
uname -n
docker run -d --name kubetour-shop-not-a-vm --label app.kubernetes.io/managed-by=kubetour node-hostname:0123456789ab
docker exec kubetour-shop-not-a-vm node -p 'os.hostname()'
docker inspect --format '{{.State.Pid}} {{.State.StartedAt}}' kubetour-shop-not-a-vm
docker top kubetour-shop-not-a-vm
sh -c 'cat /proc/uptime; grep NSpid "/proc/$0/status" || true' "$(docker inspect --format '{{.State.Pid}}' kubetour-shop-not-a-vm)"
docker rm -f kubetour-shop-not-a-vm

# create-cluster: Create a cluster
if ! kind export kubeconfig --name kubetour --kubeconfig .kubetour/kind-kubetour.kubeconfig >/dev/null 2>&1; then
if docker inspect --type container kubetour-control-plane >/dev/null 2>&1; then
    echo 'create-cluster: this is there already, and maybe not yours' >&2; exit 9
fi
trap 'set +e; kind export logs .kubetour/logs/kind-kubetour --name kubetour; kind delete cluster --name kubetour --kubeconfig .kubetour/kind-kubetour.kubeconfig' EXIT
kind create cluster --name kubetour --kubeconfig .kubetour/kind-kubetour.kubeconfig --config - --retain <<'EOF'
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
trap 'kind export logs .kubetour/logs/kind-kubetour --name kubetour' EXIT
if ! { docker exec kubetour-control-plane crictl inspecti docker.io/library/node-hostname:0123456789ab && docker exec kubetour-worker crictl inspecti docker.io/library/node-hostname:0123456789ab && docker exec kubetour-worker2 crictl inspecti docker.io/library/node-hostname:0123456789ab; } >/dev/null 2>&1; then
rm -f .kubetour/image.tar
docker image save --platform linux/amd64 -o .kubetour/image.tar node-hostname:0123456789ab
kind load image-archive .kubetour/image.tar --name kubetour
rm -f .kubetour/image.tar
fi
docker exec kubetour-control-plane crictl inspecti docker.io/library/node-hostname:0123456789ab
docker exec kubetour-worker crictl inspecti docker.io/library/node-hostname:0123456789ab
docker exec kubetour-worker2 crictl inspecti docker.io/library/node-hostname:0123456789ab

# run-pod: A first Pod
if ! kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get pod shop-pod >/dev/null 2>&1; then
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour run shop-pod --image node-hostname:0123456789ab --port 8080 --image-pull-policy IfNotPresent --labels run=shop-pod,app.kubernetes.io/managed-by=kubetour
fi
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour wait --for=condition=Ready pod/shop-pod --timeout=180s

# describe-bare-pod: What happened to it
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour describe pod shop-pod

# expose-pod: A Service in front of it
if ! kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service shop-pod >/dev/null 2>&1; then
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour expose pod shop-pod --type NodePort
fi

# hit-pod: Ask the Service
tries=0
until docker exec kubetour-control-plane curl -i -sS --max-time 5 --noproxy '*' -A kubetour.6b077cb1.hit-pod "http://$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service shop-pod -o 'jsonpath={.spec.clusterIP}'):8080/?kubetour.6b077cb1.hit-pod"; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour logs -l run=shop-pod --prefix --tail=-1 --ignore-errors

# crash: Kill its process
docker exec "$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get pod shop-pod -o 'jsonpath={.spec.nodeName}')" sh -c 'crictl stop $(crictl ps -q --label io.kubernetes.pod.name=shop-pod)'

# delete-pod: Delete it: nothing brings it back
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour delete pod/shop-pod service/shop-pod --ignore-not-found

# deploy: A Deployment
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour apply -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: "shop"
  labels:
    app: "shop"
    app.kubernetes.io/managed-by: kubetour
spec:
  replicas: 1
  selector:
    matchLabels:
      app: "shop"
  template:
    metadata:
      labels:
        app: "shop"
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
        - name: "shop"
          image: "node-hostname:0123456789ab"
          imagePullPolicy: IfNotPresent
          ports:
            - name: http
              containerPort: 8080
          readinessProbe:
            tcpSocket:
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
            capabilities:
              drop: ["ALL"]
EOF
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour rollout status deployment/shop --timeout=180s

# replace-pod: Delete its Pod: another comes
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour delete pods -l app=shop --wait=false

# expose: A Service for the Deployment
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: "shop"
  labels:
    app: "shop"
    app.kubernetes.io/managed-by: kubetour
spec:
  type: LoadBalancer
  selector:
    app: "shop"
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
until docker exec kubetour-control-plane curl -i -sS --max-time 5 --noproxy '*' -A kubetour.6b077cb1.hit-inside "http://$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service shop -o 'jsonpath={.spec.clusterIP}'):8080/?kubetour.6b077cb1.hit-inside"; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour logs -l app=shop --prefix --tail=-1 --ignore-errors

# hit: Hit it from outside
tries=0
while true; do
    # rung.load-balancer
    curl=curl; url="$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service shop -o 'go-template={{with .status.loadBalancer.ingress}}{{with index . 0}}http://{{if .ip}}{{.ip}}{{else}}{{.hostname}}{{end}}:8080/{{end}}{{end}}')"
    if [ -n "$url" ] && $curl -i -sS --max-time 5 --noproxy '*' -A kubetour.6b077cb1.hit -H 'Connection: close' "${url}?kubetour.6b077cb1.hit"; then break; fi
    # rung.host-port
    curl=curl; url=http://127.0.0.1:30080/
    if $curl -i -sS --max-time 5 --noproxy '*' -A kubetour.6b077cb1.hit -H 'Connection: close' "${url}?kubetour.6b077cb1.hit"; then break; fi
    # rung.node
    curl=curl; url="$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service,pod -l app=shop -o 'go-template={{$port := ""}}{{$host := ""}}{{range .items}}{{if eq .kind "Service"}}{{$port = (index .spec.ports 0).nodePort}}{{end}}{{if eq .kind "Pod"}}{{$host = .status.hostIP}}{{end}}{{end}}{{if and $host $port}}http://{{$host}}:{{$port}}/{{end}}')"
    if [ -n "$url" ] && $curl -i -sS --max-time 5 --noproxy '*' -A kubetour.6b077cb1.hit -H 'Connection: close' "${url}?kubetour.6b077cb1.hit"; then break; fi
    # rung.inside
    curl='docker exec kubetour-control-plane curl'; url="http://$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get service shop -o 'jsonpath={.spec.clusterIP}'):8080/"
    if $curl -i -sS --max-time 5 --noproxy '*' -A kubetour.6b077cb1.hit -H 'Connection: close' "${url}?kubetour.6b077cb1.hit"; then break; fi
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour logs -l app=shop --prefix --tail=-1 --ignore-errors

# picture: The whole picture
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get deployment,replicaset,pod,service,endpointslice -l app=shop

# same-address: Others behind it, the same Service
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour delete pods -l app=shop --wait=false

# hit-again: The same question, another answer
tries=0
until $curl -i -sS --max-time 5 --noproxy '*' -A kubetour.6b077cb1.hit-again -H 'Connection: close' "${url}?kubetour.6b077cb1.hit-again"; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour logs -l app=shop --prefix --tail=-1 --ignore-errors

# scale: Scale it
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour scale deployment/shop --replicas=3
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour rollout status deployment/shop --timeout=180s
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get deployment shop

# hit-all: Hit it until every Pod has answered
tries=0
until $curl -i -sS --max-time 5 --noproxy '*' -A kubetour.6b077cb1.hit-all -H 'Connection: close' "${url}?kubetour.6b077cb1.hit-all.[1-37]"; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour logs -l app=shop --prefix --tail=-1 --ignore-errors

# pods: Which node runs what
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get pods -o wide -l app=shop

# describe-pod: A Pod's story
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour describe pod "$(kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour get pods -l app=shop -o 'go-template={{$name := ""}}{{range .items}}{{if not .metadata.deletionTimestamp}}{{$name = .metadata.name}}{{end}}{{end}}{{$name}}')"

# delete-app: Remove the app
trap - EXIT
kubectl --kubeconfig .kubetour/kind-kubetour.kubeconfig --context kind-kubetour delete deployment/shop service/shop pod/shop-pod service/shop-pod --ignore-not-found

# delete-cluster: Delete the cluster
kind delete cluster --name kubetour --kubeconfig .kubetour/kind-kubetour.kubeconfig
rm -f .kubetour/kind-kubetour.kubeconfig
kind get clusters
docker ps -a --filter label=io.x-k8s.kind.cluster=kubetour --format '{{.Names}}'

# delete-image: Delete the image
docker image rm node-hostname:0123456789ab
docker images --format '{{.Repository}}:{{.Tag}}'
