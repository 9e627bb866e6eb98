from tunerstudio.study.catalogue import argument_problems, load_catalogue

catalogue = load_catalogue()


def test_ten_everyday_layers_come_first():
    everyday = sorted((info for info in catalogue.layers if info.everyday), key=lambda info: info.everyday)
    assert [info.name for info in everyday][:2] == ["Dense", "Dropout"]
    assert len(everyday) == 10
    assert not any(info.unusable for info in everyday)


def test_arguments_have_types_defaults_and_help():
    dense = catalogue.layer("Dense")
    units = dense.argument("units")
    assert (units.type, units.required, units.minimum) == ("int", True, 1)
    assert "dimensionality" in units.help
    assert dense.argument("activation").type == "activation"
    assert dense.argument("use_bias").default is True
    assert dense.argument("kernel_initializer").default == "glorot_uniform"
    assert not dense.argument("kernel_initializer").basic
    assert catalogue.layer("Conv2D").argument("padding").choices == ("valid", "same")
    assert catalogue.layer("Conv2D").argument("kernel_size").type == "shape"
    rate = catalogue.layer("Dropout").argument("rate")
    assert (rate.type, rate.minimum, rate.maximum) == ("float", 0, 1)
    assert catalogue.optimizer("Adam").argument("learning_rate").default == 0.001


def test_a_layer_is_found_by_an_alias_and_by_words():
    assert catalogue.layer("Convolution2D").name == "Conv2D"
    assert catalogue.layer("Convolutional") is None
    assert next(info.name for info in catalogue.layers if info.matches("convolution2d")) == "Conv2D"
    assert "BatchNormalization" in [info.name for info in catalogue.layers if info.matches("batch norm")]


def test_layers_that_cannot_stand_in_a_list_say_why():
    assert "branches" in catalogue.layer("Concatenate").unusable
    assert "cell of RNN" in catalogue.layer("LSTMCell").unusable
    assert catalogue.layer("LSTM").unusable == ""


def test_estimators_know_their_task_and_bounds():
    forest = catalogue.estimator("RandomForestClassifier")
    assert forest.tasks == ("classes",)
    assert forest.argument("n_estimators").minimum == 1
    assert forest.argument("random_state") is None
    assert catalogue.estimator("Ridge").tasks == ("numbers",)
    assert "rbf" in catalogue.estimator("SVC").argument("kernel").choices


def test_wrong_and_missing_arguments_are_named_with_a_suggestion():
    found = argument_problems(catalogue.layer("Dense"), ["unit"])
    assert found == [("unit", "Dense has no argument 'unit'. Did you mean 'units'?"), ("units", "Dense needs units")]
    assert argument_problems(catalogue.layer("Dense"), ["units", "activation"]) == []


def test_names_are_offered_by_type():
    dense = catalogue.layer("Dense")
    assert "relu" in catalogue.names(dense.argument("activation"))
    assert "he_normal" in catalogue.names(dense.argument("kernel_initializer"))
    assert "l2" in catalogue.names(dense.argument("kernel_regularizer"))
    assert catalogue.names(dense.argument("units")) == ()
