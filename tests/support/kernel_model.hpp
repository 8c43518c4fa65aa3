// A strict, slow and obvious model of what the kernel makes of a plan's steps, to check plans with.
//
// Written apart from kernel/taken_along.hpp, which it checks, and as the kernel was seen to behave:
// it refuses what the kernel refuses, fills in what the kernel chooses, and takes along what the
// kernel takes along. It looks at everything every time.

#pragma once

#include <string>

#include "plumbline/state/step.hpp"

namespace plumbline::testing {

class KernelModel {
 public:
  KernelModel() = default;
  explicit KernelModel(State state) : state_(std::move(state)) {
    state_.sort();
    rules_ = state_.of<Rule>();
  }

  /// Empty when it was done; else why the kernel refuses, and nothing has changed.
  [[nodiscard]] std::string carry_out(const Step& step);
  [[nodiscard]] std::string create(const Resource& value);
  [[nodiscard]] const State& state() const { return state_; }

  /// A link that nobody made: up, with the kernel's defaults.
  void add_physical(const std::string& name);

 private:
  std::string make(const Link& link);
  std::string make(const WireGuard& device);
  std::string make(const Address& address);
  std::string make(const Neighbour& neighbour);
  std::string make(const Route& route);
  std::string make(const Rule& rule);
  std::string make(const Sysctl& sysctl);
  std::string make(const Chain& chain);
  std::string make(const SharedChain& chain);

  std::string change(const Link& before, const Link& after);
  std::string change(const WireGuard& before, const WireGuard& after);
  std::string change(const Address& before, const Address& after);
  std::string change(const Neighbour& before, const Neighbour& after);
  std::string change(const Route& before, const Route& after);
  std::string change(const Rule& before, const Rule& after);
  std::string change(const Sysctl& before, const Sysctl& after);
  std::string change(const Chain& before, const Chain& after);
  std::string change(const SharedChain& before, const SharedChain& after);

  std::string destroy(const Link& link);
  std::string destroy(const WireGuard& device);
  std::string destroy(const Address& address);
  std::string destroy(const Neighbour& neighbour);
  std::string destroy(const Route& route);
  std::string destroy(const Rule& rule);
  std::string destroy(const Sysctl& sysctl);
  std::string destroy(const Chain& chain);
  std::string destroy(const SharedChain& chain);

  Link* link(const IfName& name);
  std::string configure(Link& link, const Link& want);
  void unregister(const IfName& name);
  void shut(const IfName& name);
  void forget_address(const Address& address);
  void drop_ipv6(const IfName& name, bool unregistered);
  void flush_dead_routes(const IfName& name, Family family, bool all_scopes);
  bool is_dead(const Nexthop& nexthop, Family family);
  std::string refusal(Route& route);
  bool reaches(const IpAddress& gateway, const IfName& dev, TableId table);

  State state_;
  std::vector<Rule> rules_;  ///< in the order in which they were added
  std::set<IfName> lost_ipv4_;
  unsigned macs_ = 0;
};

/// The step that undoes another.
[[nodiscard]] Step inverse(const Step& step);

}  // namespace plumbline::testing
