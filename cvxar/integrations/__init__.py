"""A trained network in the formats of other libraries; one file each, loaded when first used.

Every format is made from a :class:`~cvxar.integrations.blueprint.Blueprint`: the weights as plain arrays.
"""
