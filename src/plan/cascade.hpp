// What one change would cost other objects, and what becomes of them.
//
// Ours are taken down before and put back after, so that undoing the steps in reverse restores
// them. Foreign ones are a refusal, or with `take_foreign` are taken down too.

#pragma once

#include "diff.hpp"
#include "order.hpp"
#include "ownership.hpp"
#include "plumbline/kernel/kernel_made.hpp"
#include "plumbline/kernel/world.hpp"

namespace plumbline {

class Cascade {
 public:
  Cascade(const Situation& situation, Drafts& drafts, Constraints& constraints)
      : now_(situation), drafts_(drafts), constraints_(constraints) {}

  /// Both ends of a veth pair go together; a link to be removed takes its qdiscs along.
  void before_order();
  /// Carries the order out in thought. Whether anything had to be added to what it was made from.
  bool follow(const std::vector<Node>& order);
  /// Takes down and puts back what cannot be changed in place at any one time.
  void split(const Key& key);

  [[nodiscard]] std::vector<Diagnostic> refusals() const;

 private:
  [[nodiscard]] bool is_of_leaving_link(const Sysctl::Key& sysctl) const;
  void take_peer(const Key& cause, const IfName& name);
  void free_identifiers(const std::vector<std::pair<Key, Link>>& going);
  void order_rules();
  void clear_way(const Key& key, const Rule& other);
  bool resolve(const kernel::Taken& taken, const Node& cause);
  bool constrain(const Key& key, Draft& draft, const kernel::Taken& taken, const End& cause);
  bool around(const Key& key, const End& cause);
  bool before(const Key& key, const End& cause);
  bool after(const Key& key, const End& cause);
  bool add(const kernel::Taken& taken, const End& cause, Draft draft);
  bool lose_ours(const kernel::Taken& taken, const End& cause);
  bool set_after(const kernel::Taken& taken, const End& cause, Draft draft);
  bool follow_back(const kernel::Taken& taken, const End& cause);
  bool lose_port(const Link& port, const End& cause, const Link* want);
  bool lose_foreign(const kernel::Taken& taken, const End& cause);
  [[nodiscard]] bool is_made_by_kernel(const Resource& resource);
  [[nodiscard]] bool is_marked_or_wanted(const Resource& resource) const;
  void refuse(const Key& cause, const Key& dependent, const std::string& what);

  const Situation& now_;
  std::optional<kernel::KernelMade> made_by_kernel_;  ///< made when it is needed
  Drafts& drafts_;
  Constraints& constraints_;
  std::map<std::pair<Key, std::string>, Diagnostic> refusals_;
};

}  // namespace plumbline
