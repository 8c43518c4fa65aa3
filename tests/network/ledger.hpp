// The fixture of the tests that docs/vm-networks.md lists by the rows of its table.

#pragma once

#include <gmock/gmock.h>

#include "tests/support/stepping_host.hpp"
#include "tests/support/tables.hpp"
#include "tests/support/world.hpp"

namespace plumbline::test {

class Ledger : public World {
 protected:
  /// Time for some packets, between two changes.
  static constexpr std::chrono::milliseconds a_while{4};

  /// Carries the plan out, with packets of guest `a` to both ports of `both_ports` between any two
  /// changes, from the moment there is a TAP.
  void apply_under_fire(const engine::Prepared& prepared) {
    SteppingHost host(site().host(), [this](std::size_t) { fire(); });
    const engine::Outcome outcome = site().carry_out(prepared, &host);
    EXPECT_EQ(outcome.result, engine::Result::applied) << shown(prepared);
    EXPECT_GT(host.changes(), 0U);
    fire();
  }
  /// Attaches guest `a` and lets it send, as soon as that can be done; then waits a while.
  void fire() {
    if (!attacker) attach();
    std::this_thread::sleep_for(a_while);
  }
  void attach() {
    try {
      attacker = attached('a');
    } catch (const std::system_error&) {
      return;  // there is no TAP yet
    }
    attack.emplace(*attacker, std::vector{attacker->udp(remote_ip, allowed_port),
                                          attacker->udp(remote_ip, denied_port)});
  }
  /// The TAP is gone, or will be.
  void detach() {
    attack.reset();
    attacker.reset();
  }
  void TearDown() override {
    detach();
    World::TearDown();
  }

  /// Why the spec is not applied, which must be so, with all words; throws it.
  void refusal_of(const std::string& spec) {
    const engine::Prepared prepared = site().prepare(spec);  // throws errors
    std::string words;
    for (const Diagnostic& refusal : prepared.plan.refusals) words += plumbline::format(refusal);
    throw std::runtime_error(words);
  }

  /// The rules of a chain as iptables prints them.
  static std::vector<std::string> rules_in(const std::string& chain,
                                           const std::string& table = "filter") {
    return rules_of(must_run({"iptables-nft-save", "-t", table}), chain);
  }

  std::unique_ptr<Station> attacker;
  std::optional<Stream> attack;
};

}  // namespace plumbline::test
