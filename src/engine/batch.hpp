// Sends steps to the host, as many at a time as is safe.
//
// Steps of one kind and action that do not need each other go together. Where a step takes several
// requests, the first requests of all go first, then the second ones of those that succeeded: a
// request is never sent after one of the same step failed, as it could hit somebody else's object.

#pragma once

#include <functional>
#include <span>
#include <vector>

#include "plumbline/engine/apply.hpp"
#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline::engine {

/// One step to be carried out forwards or backwards: the values say which way.
struct StepRun {
  std::size_t position = 0;  ///< of the step in the plan
  const Step* step = nullptr;
  bool backwards = false;
};

struct RunResult {
  int error = 0;
  std::string message;
  bool in_effect = false;  ///< failed, and yet to be undone
  bool busy = false;       ///< failed, as others were faster every time
};

class Sender {
 public:
  Sender(io::Host& host, firewall::Ruleset& ruleset, Surroundings surroundings)
      : host_(&host), ruleset_(&ruleset), surroundings_(std::move(surroundings)) {}

  /// Carries out moves from the front of `moves` and says how each went; how many it took is the
  /// size of what it returns, at least one.
  [[nodiscard]] std::vector<RunResult> send(std::span<const StepRun> moves);
  /// Settings that the plan did not know the value of, as they were before they were written.
  [[nodiscard]] const State& found() const { return found_; }

 private:
  [[nodiscard]] bool uses_nft(const StepRun& move) const;
  [[nodiscard]] std::vector<RunResult> commit(std::span<const StepRun> moves);
  [[nodiscard]] std::vector<RunResult> send_firewall(std::span<const StepRun> moves);
  [[nodiscard]] std::vector<RunResult> send_texts(std::span<const StepRun> moves);
  /// How many moves from the front may be under way together.
  [[nodiscard]] std::size_t company_of(std::span<const StepRun> moves) const;
  [[nodiscard]] std::vector<RunResult> send_company(std::span<const StepRun> moves);
  [[nodiscard]] std::vector<RunResult> send_waves(std::span<const StepRun> moves);
  [[nodiscard]] std::vector<wire::Request> requests_of(const StepRun& move) const;
  [[nodiscard]] std::vector<IfName> missing_links(const StepRun& move) const;
  void refresh_links();
  void find_settings(std::span<const StepRun> moves);

  io::Host* host_;
  firewall::Ruleset* ruleset_;
  Surroundings surroundings_;
  State found_;
};

/// The value a move starts from and the one it leads to; nothing when there is none.
[[nodiscard]] const Resource* from_value(const StepRun& move);
[[nodiscard]] const Resource* to_value(const StepRun& move);

/// The link that it is about, whose name leads elsewhere once it is made or removed.
[[nodiscard]] std::optional<IfName> link_named(const StepRun& move);

}  // namespace plumbline::engine
