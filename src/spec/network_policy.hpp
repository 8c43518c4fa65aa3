// A policy of a network as rules: for packets, and for ICMP errors about flows.
//
// An error says nothing of ports, and is of no protocol that a rule would name. It is judged by the
// flow that it is about, so that path MTU discovery works where the flow itself is let through, and
// an error is no way out where it is not.

#pragma once

#include <string>
#include <vector>

#include "network_resources.hpp"

namespace plumbline::spec {

/// The words for the actions of a policy.
struct Verdicts {
  std::string allow;
  std::string deny;
};

/// In the order of the policy, without its default. `direction` is `d` or `s`: what `to` or `from`
/// of a rule is compared with.
[[nodiscard]] std::vector<NetworkResources::PlacedRule> policy_rules(const Policy& policy,
                                                                     char direction,
                                                                     const Verdicts& verdicts);
/// The same for errors about flows that went the way of the policy `to` somebody.
[[nodiscard]] std::vector<NetworkResources::PlacedRule> policy_for_errors(const Policy& policy,
                                                                          const Verdicts& verdicts);

}  // namespace plumbline::spec
