// What one change would cost other objects, and what becomes of them.
//
// Ours are taken down before and put back after, so that undoing the steps in reverse restores
// them. Foreign ones are a refusal, or with `take_foreign` are taken down too.

#pragma once

#include "diff.hpp"
#include "order.hpp"
#include "ownership.hpp"
#include "plumbline/kernel/kernel_made.hpp"
#include "plumbline/kernel/taken_along.hpp"

namespace plumbline::plan {

/// The kernel may take a part of it alone: a port loses its bridge.
template <class K>
inline constexpr bool can_be_released = requires(const K& value) {
  released(value);
};

class Cascade {
 public:
  Cascade(const Situation& situation, Drafts& drafts, Constraints& constraints)
      : now_(situation), drafts_(drafts), constraints_(constraints) {}

  /// What comes and goes together goes together; what is to be removed takes along what others put
  /// on it.
  void before_order();
  /// Carries the order out in thought. Whether anything had to be added to what it was made from.
  bool follow(const std::vector<Node>& order);
  /// Takes down and puts back what cannot be changed in place at any one time.
  void split(const Key& key);

  [[nodiscard]] std::vector<Diagnostic> refusals() const;

 private:
  [[nodiscard]] static bool is_setting(const Resource& resource);
  /// What is to be removed, of one kind.
  template <class K>
  using Going = std::vector<std::pair<Key, K>>;

  template <class K>
  [[nodiscard]] Going<K> going() const;
  template <class K>
  void take_partner(const Key& cause, const K& value);
  template <class K>
  void free_identities(const Going<K>& going);
  [[nodiscard]] std::set<IfName> leaving_links() const;
  void order_removals();
  template <class K>
  void clear_way(const Key& key, const K& other);
  bool resolve(const kernel::Taken& taken, const Node& cause);
  template <class K>
  bool constrain(Draft& draft, const K& before, const std::optional<Resource>& left,
                 const End& cause);
  bool around(const Key& key, const End& cause);
  bool before(const Key& key, const End& cause);
  bool after(const Key& key, const End& cause);
  bool add(const Resource& before, const End& cause, Draft draft);
  template <class K>
  bool lose_ours(const K& before, const std::optional<Resource>& left, const End& cause);
  template <class K>
  bool set_after(const K& before, const std::optional<Resource>& left, const End& cause,
                 Draft draft);
  template <class K>
  bool follow_back(const K& before, const std::optional<Resource>& left, const End& cause);
  template <class K>
  bool let_go(const K& port, const End& cause, const K* want);
  template <class K>
  bool lose_foreign(const K& before, const std::optional<Resource>& left, const End& cause);
  [[nodiscard]] bool is_made_by_kernel(const Resource& resource);
  void refuse(const Key& cause, const Key& dependent, const std::string& what);

  const Situation& now_;
  std::optional<kernel::KernelMade> made_by_kernel_;  ///< made when it is needed
  Drafts& drafts_;
  Constraints& constraints_;
  std::map<std::pair<Key, std::string>, Diagnostic> refusals_;
};

}  // namespace plumbline::plan
