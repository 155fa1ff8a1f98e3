# Java, and what Maven brings for it. Sourced by script/stack.

# jdks: every JDK that is here, newest first, as "MAJOR HOME".
jdks() {
  local home
  for home in /usr/lib/jvm/* "${JAVA_HOME:-}"; do
    [ -x "$home/bin/javac" ] && [ -f "$home/release" ] && [ ! -L "$home" ] || continue
    echo "$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release") $home"
  done | sort -rnu
}

jdk_major() { jdks | head -n 1 | cut -d ' ' -f 1; }
jdk() { echo "$(jdks | head -n 1 | cut -d ' ' -f 2-)/bin/$1"; } # jdk PROGRAM: of the newest

need_java() {
  [ "$(jdk_major)" -ge 17 ] 2>/dev/null || need_package javac openjdk-17-jdk-headless
  need_package mvn maven
}

# folder_for NAME FILE…: a folder of the cache, another one for every content of the files.
folder_for() {
  local name=$1
  shift
  echo "$cache/$name-$(cat "$@" | sha256sum | cut -c 1-12)"
}

# cached FOLDER COMMAND…: fills the folder once, by a command that is given its path; two stacks may ask at the same time.
cached() {
  local folder=$1
  shift
  [ ! -d "$folder" ] || return 0
  mkdir -p "$cache"
  (
    flock 8
    [ ! -d "$folder" ] || exit 0
    rm -rf "$folder.new"
    mkdir "$folder.new"
    "$@" "$folder.new"
    mv "$folder.new" "$folder"
  ) 8>"$cache/lock"
}

jars() { # jars POM FOLDER
  echo "stack: fetching the jars of $(basename "$(dirname "$1")")" >&2
  mvn -q -B -Dstyle.color=never -f "$1" dependency:copy-dependencies -DincludeScope=runtime "-DoutputDirectory=$2" >&2
}
