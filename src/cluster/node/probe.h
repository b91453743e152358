#pragma once
/// A container's readinessProbe (core/v1 Probe), asked again and again while the container runs:
/// exec inside the container, httpGet and tcpSocket against this machine, where its ports are.
/// As the kubelet's, except that before the first success it is asked soon and ever more rarely up
/// to its period, so that nobody waits ten seconds for what was ready after one.

#include "async/blocking_pool.h"
#include "async/loop.h"
#include "cluster/node/sandbox.h"
#include "doc/json.h"

#include <functional>
#include <memory>
#include <string>

namespace tiphys::node {

class Probe final {
 public:
  struct Ground {
    async::Loop& loop;
    async::BlockingPool& pool;
    Sandbox& sandbox;
    std::string address;  ///< of the pod
  };

  /// `on_change` gets each change of readiness, on the loop, until the probe is destroyed. The
  /// ground outlives it.
  static std::unique_ptr<Probe> start(const Ground& ground, Run run, const doc::Value& container,
                                      std::function<void(bool ready)> on_change);
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe();

 private:
  class Impl;
  explicit Probe(std::shared_ptr<Impl> impl);

  std::shared_ptr<Impl> impl_;
};

}  // namespace tiphys::node
