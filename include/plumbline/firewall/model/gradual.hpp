// Chains that change in two commits: what holds traffic back goes in before traffic can flow, and
// comes out only after it has stopped.
//
// Decides per chain what the state between is. A change whose parts need no waiting for each other
// stays one commit. It looks at no rule's match. A rule that is to go and leads elsewhere by -g
// holds up what stands behind it until it goes, a new DROP too.

#pragma once

#include <optional>

#include "plumbline/firewall/model/chain.hpp"

namespace plumbline {

/// When the change of a chain that stays is due: in the first commit, but for what is said here.
template <class K>
struct Gradual {
  bool lets_go = false;          ///< only takes away what holds traffic back: it is due last
  std::optional<K> middle = {};  ///< what it is between the two commits
};

/// `going`: the chains that go with the same plan. A chain of ours is as a rule about one thing and
/// changes as a whole; but where it leads to a chain that goes, that is about something that ends.
[[nodiscard]] Gradual<Chain> gradually(const Chain& have, const Chain& want,
                                       const ChainNames& going);
[[nodiscard]] Gradual<SharedChain> gradually(const SharedChain& have, const SharedChain& want,
                                             const ChainNames& going);

}  // namespace plumbline
