#!/bin/sh
# The tour on context, as plain commands. Run it with: sh -eu FILE
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
if docker image inspect kubetour-node-hostname-context:all >/dev/null 2>&1; then
    echo 'build-context: this is there already, and maybe not yours' >&2; exit 9
fi
trap 'set +e; docker image rm kubetour-node-hostname-context:all kubetour-node-hostname-context:rest; rm -rf .kubetour/build-context' EXIT
rm -rf .kubetour/build-context
mkdir -p .kubetour/build-context
dd if=/dev/urandom of=.kubetour/build-context/big.log bs=1024 count=1024
tee .kubetour/build-context/Dockerfile <<'EOF'
FROM scratch
COPY . /
EOF
docker build --provenance=false -t kubetour-node-hostname-context:all .kubetour/build-context
tee .kubetour/build-context/.dockerignore <<'EOF'
*.log
EOF
docker build --provenance=false -t kubetour-node-hostname-context:rest .kubetour/build-context
docker image inspect --format '{{.Size}}' kubetour-node-hostname-context:all kubetour-node-hostname-context:rest
docker image rm kubetour-node-hostname-context:all kubetour-node-hostname-context:rest
rm -rf .kubetour/build-context

# build: Build the image
trap - EXIT
if ! docker image inspect registry.example/team/web:0123456789ab >/dev/null 2>&1; then
docker build --provenance=false -t registry.example/team/web:0123456789ab .
fi
docker image inspect registry.example/team/web:0123456789ab

# layers: The image's layers
docker history registry.example/team/web:0123456789ab
docker history --no-trunc --format '{{json .}}' registry.example/team/web:0123456789ab

# shared-layers: Experiment: what a change costs
if docker image inspect kubetour-node-hostname-layers:1 >/dev/null 2>&1; then
    echo 'shared-layers: this is there already, and maybe not yours' >&2; exit 9
fi
trap 'set +e; docker image rm kubetour-node-hostname-layers:1 kubetour-node-hostname-layers:2; rm -rf .kubetour/layers' EXIT
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
docker build --provenance=false -t kubetour-node-hostname-layers:1 .kubetour/layers
tee .kubetour/layers/app.txt <<'EOF'
version 2
EOF
docker build --provenance=false -t kubetour-node-hostname-layers:2 .kubetour/layers
docker image inspect --format '{{json .RootFS.Layers}}' kubetour-node-hostname-layers:1 kubetour-node-hostname-layers:2
docker image rm kubetour-node-hostname-layers:1 kubetour-node-hostname-layers:2
rm -rf .kubetour/layers

# run-container: Run it as a container
trap - EXIT
if ! docker inspect kubetour-node-hostname >/dev/null 2>&1; then
docker run -d --rm --name kubetour-node-hostname --label app.kubernetes.io/managed-by=kubetour -p 127.0.0.1:18080:8080 registry.example/team/web:0123456789ab
fi
docker inspect kubetour-node-hostname

# hit-container: Ask it for an answer
tries=0
until curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' http://127.0.0.1:18080/; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done
docker inspect kubetour-node-hostname

# container-logs: Read its log
docker logs kubetour-node-hostname

# stop-container: Stop it, and mind SIGTERM
docker stop kubetour-node-hostname

# not-a-vm: Experiment: where the container is
if docker inspect kubetour-node-hostname-not-a-vm >/dev/null 2>&1; then
    echo 'not-a-vm: this is there already, and maybe not yours' >&2; exit 9
fi
trap 'docker rm -f kubetour-node-hostname-not-a-vm' EXIT
uname -n
docker run -d --name kubetour-node-hostname-not-a-vm --label app.kubernetes.io/managed-by=kubetour registry.example/team/web:0123456789ab
docker exec kubetour-node-hostname-not-a-vm node -p 'os.hostname()'
docker inspect --format '{{.State.Pid}} {{.State.StartedAt}}' kubetour-node-hostname-not-a-vm
docker top kubetour-node-hostname-not-a-vm
sh -c 'cat /proc/uptime; grep NSpid "/proc/$0/status" || true' "$(docker inspect --format '{{.State.Pid}}' kubetour-node-hostname-not-a-vm)"
docker rm -f kubetour-node-hostname-not-a-vm

# cluster-info: Where the API server is
trap - EXIT
kubectl --context gke_example --namespace kubetour cluster-info || echo 'cluster-info: Forbidden?' >&2
kubectl --context gke_example --namespace kubetour version -o json

# nodes: The nodes
kubectl --context gke_example --namespace kubetour get nodes -o wide || echo 'nodes: Forbidden?' >&2

# describe-node: One node in detail
kubectl --context gke_example --namespace kubetour describe node "$(kubectl --context gke_example --namespace kubetour get nodes -o 'jsonpath={.items[0].metadata.name}')" || echo 'describe-node: Forbidden?' >&2

# push: Push the image to a registry
docker push registry.example/team/web:0123456789ab
docker image inspect --format '{{json .RepoDigests}}' registry.example/team/web:0123456789ab

# namespace: A namespace of our own
if ! kubectl --context gke_example --namespace kubetour get namespace kubetour >/dev/null 2>&1; then
kubectl --context gke_example --namespace kubetour apply -f - <<'EOF'
apiVersion: v1
kind: Namespace
metadata:
  name: "kubetour"
  labels:
    app.kubernetes.io/managed-by: kubetour
    pod-security.kubernetes.io/enforce: baseline
EOF
fi

# pull-secret: Credentials for a private registry
if ! kubectl --context gke_example --namespace kubetour get secret kubetour-registry >/dev/null 2>&1; then
kubectl --context gke_example --namespace kubetour create secret generic kubetour-registry --type=kubernetes.io/dockerconfigjson --from-file=.dockerconfigjson=pull.json
kubectl --context gke_example --namespace kubetour label secret kubetour-registry app.kubernetes.io/managed-by=kubetour
fi

# service-account: Let every Pod use them
tries=0
until kubectl --context gke_example --namespace kubetour patch serviceaccount default --type=strategic -p '{"imagePullSecrets": [{"name": "kubetour-registry"}]}'; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done

# run-pod: A first Pod
if ! kubectl --context gke_example --namespace kubetour get pod node-hostname-pod >/dev/null 2>&1; then
kubectl --context gke_example --namespace kubetour run node-hostname-pod --image registry.example/team/web:0123456789ab --port 8080 --image-pull-policy IfNotPresent --labels run=node-hostname-pod,app.kubernetes.io/managed-by=kubetour
fi
kubectl --context gke_example --namespace kubetour wait --for=condition=Ready pod/node-hostname-pod --timeout=180s

# describe-bare-pod: What happened to it
kubectl --context gke_example --namespace kubetour describe pod node-hostname-pod

# expose-pod: A Service in front of it
if ! kubectl --context gke_example --namespace kubetour get service node-hostname-pod >/dev/null 2>&1; then
kubectl --context gke_example --namespace kubetour expose pod node-hostname-pod --type NodePort
fi

# delete-pod: Delete it: nothing brings it back
kubectl --context gke_example --namespace kubetour delete pod/node-hostname-pod service/node-hostname-pod --ignore-not-found

# deploy: A Deployment
kubectl --context gke_example --namespace kubetour apply -f - <<'EOF'
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
          image: "registry.example/team/web:0123456789ab"
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
kubectl --context gke_example --namespace kubetour rollout status deployment/node-hostname --timeout=180s

# replace-pod: Delete its Pod: another comes
kubectl --context gke_example --namespace kubetour delete pods -l app=node-hostname --wait=false

# expose: A Service for the Deployment
kubectl --context gke_example --namespace kubetour apply -f - <<'EOF'
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
EOF

# services: Why EXTERNAL-IP may be pending
kubectl --context gke_example --namespace kubetour get services

# hit: Hit it from outside
tries=0
while true; do
    # rung.load-balancer
    curl=curl; url="$(kubectl --context gke_example --namespace kubetour get service node-hostname -o 'go-template={{with .status.loadBalancer.ingress}}{{with index . 0}}http://{{if .ip}}{{.ip}}{{else}}{{.hostname}}{{end}}:8080/{{end}}{{end}}')"
    if [ -n "$url" ] && $curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' "${url}"; then break; fi
    # rung.node
    curl=curl; url="$(kubectl --context gke_example --namespace kubetour get service,pod -l app=node-hostname -o 'go-template={{$port := ""}}{{$host := ""}}{{range .items}}{{if eq .kind "Service"}}{{$port = (index .spec.ports 0).nodePort}}{{end}}{{if eq .kind "Pod"}}{{$host = .status.hostIP}}{{end}}{{end}}{{if and $host $port}}http://{{$host}}:{{$port}}/{{end}}')"
    if [ -n "$url" ] && $curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' "${url}"; then break; fi
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done

# picture: The whole picture
kubectl --context gke_example --namespace kubetour get deployment,replicaset,pod,service,endpointslice -l app=node-hostname

# same-address: Others behind it, the same Service
kubectl --context gke_example --namespace kubetour delete pods -l app=node-hostname --wait=false

# hit-again: The same question, another answer
tries=0
until $curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' "${url}"; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done

# scale: Scale it
kubectl --context gke_example --namespace kubetour scale deployment/node-hostname --replicas=3
kubectl --context gke_example --namespace kubetour rollout status deployment/node-hostname --timeout=180s
kubectl --context gke_example --namespace kubetour get deployment node-hostname

# hit-all: Hit it until every Pod has answered
tries=0
until $curl -sS --fail --max-time 5 --noproxy '*' -H 'Connection: close' "${url}?[1-37]"; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 1
done

# scale-under-load: Scale it while requests come in
trap 'kubectl --context gke_example --namespace kubetour scale deployment/node-hostname --replicas=3' EXIT
.venv/bin/python -m kubetour.steady --rate 50 --before 0.5 --after 1.5 "${url}" -- kubectl --context gke_example --namespace kubetour scale deployment/node-hostname --replicas=2 -- kubectl --context gke_example --namespace kubetour rollout status deployment/node-hostname --timeout=180s -- kubectl --context gke_example --namespace kubetour scale deployment/node-hostname --replicas=3 -- kubectl --context gke_example --namespace kubetour rollout status deployment/node-hostname --timeout=180s

# pods: Which node runs what
trap - EXIT
kubectl --context gke_example --namespace kubetour get pods -o wide -l app=node-hostname

# describe-pod: A Pod's story
kubectl --context gke_example --namespace kubetour describe pod "$(kubectl --context gke_example --namespace kubetour get pods -l app=node-hostname -o 'go-template={{$name := ""}}{{range .items}}{{if not .metadata.deletionTimestamp}}{{$name = .metadata.name}}{{end}}{{end}}{{$name}}')"

# delete-app: Remove the app
kubectl --context gke_example --namespace kubetour delete deployment/node-hostname service/node-hostname pod/node-hostname-pod service/node-hostname-pod --ignore-not-found

# delete-pull-secret: Take the credentials back
kubectl --context gke_example --namespace kubetour patch serviceaccount default --type=strategic --patch-file /dev/stdin <<'EOF'
{"imagePullSecrets": [{"$patch": "delete", "name": "kubetour-registry"}]}
EOF
kubectl --context gke_example --namespace kubetour delete secret kubetour-registry --ignore-not-found
kubectl --context gke_example --namespace kubetour get serviceaccount default -o 'jsonpath={range .imagePullSecrets[*]}secret/{.name}{"\n"}{end}'
kubectl --context gke_example --namespace kubetour get secret kubetour-registry --ignore-not-found -o name

# delete-namespace: Delete the namespace
trap 'kubectl --context gke_example --namespace kubetour get namespace kubetour -o '"'"'jsonpath={range .status.conditions[*]}{.reason}: {.message}{"\n"}{end}'"'"'' EXIT
kubectl --context gke_example --namespace kubetour delete namespace kubetour --timeout=180s
kubectl --context gke_example --namespace kubetour get namespace kubetour --ignore-not-found -o name

# delete-image: Delete the image
trap - EXIT
docker image rm registry.example/team/web:0123456789ab
docker images --format '{{.Repository}}:{{.Tag}}'
